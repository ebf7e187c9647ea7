"""Write the CSV files of this folder from scikit-learn, statsmodels and a published table.

To run it::

    python examples/data/export.py
"""

from pathlib import Path

import pandas as pd
from sklearn.datasets import load_breast_cancer
from statsmodels.datasets import randhie

HERE = Path(__file__).parent

# Counts of Bickel, Hammel and O'Connell (1975): (male admitted, male rejected, female admitted, female rejected).
ADMISSIONS = {
    "A": (512, 313, 89, 19),
    "B": (353, 207, 17, 8),
    "C": (120, 205, 202, 391),
    "D": (138, 279, 131, 244),
    "E": (53, 138, 94, 299),
    "F": (22, 351, 24, 317),
}


def breast_cancer() -> pd.DataFrame:
    """Return the 569 tumours, with `malignant` (1 or 0) as the first column."""
    frame = load_breast_cancer(as_frame=True).frame
    malignant = 1 - frame.pop("target")  # scikit-learn codes benign as 1
    frame.columns = frame.columns.str.replace(" ", "_")
    frame.insert(0, "malignant", malignant)
    return frame


def admissions() -> pd.DataFrame:
    """Return the table with one row per cell, `admitted` varying fastest, then `gender`."""
    cells = [("male", 1), ("male", 0), ("female", 1), ("female", 0)]
    rows = [(name, *cells[i], count) for name, counts in ADMISSIONS.items() for i, count in enumerate(counts)]
    return pd.DataFrame(rows, columns=["department", "gender", "admitted", "count"])


if __name__ == "__main__":
    breast_cancer().to_csv(HERE / "breast_cancer.csv", index=False)
    randhie.load_pandas().data.to_csv(HERE / "rand_health.csv", index=False)
    admissions().to_csv(HERE / "berkeley_admissions.csv", index=False)
