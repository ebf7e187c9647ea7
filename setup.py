"""Packaging metadata; `cli/` is installed as the package `autoopt.cli`."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "autoopt" / "version.py").read_text()).group(1)
IPOPT = ['ipyopt>=0.12.10,<0.13; python_version < "3.14"']
RAY = ["ray>=2.40"]
EXTRAS = {
    "parquet": ["pyarrow>=17"],
    "zarr": ["zarr>=3"],
    "hdf5": ["h5py>=3.11"],
    "formula": ["formulaic>=1.1,<2"],
    "plot": ["matplotlib>=3.9,<4"],
    "dask": ["distributed>=2025.1", "dask[array,dataframe]>=2025.1"],
    "report": ["jinja2>=3.1,<4", "matplotlib>=3.9,<4"],
}
DOCS = ["sphinx>=8,<10", "furo>=2025.7"]
TEST = [
    "pytest>=8",
    "polars>=1.0",
    *(package for packages in EXTRAS.values() for package in packages),
    "pytest-xdist>=3.5",
    "hypothesis>=6.100",
    "ruff>=0.8",
    "mypy>=1.15",
    "statsmodels>=0.14",
    "scikit-learn>=1.5",
    "glum>=3",
    "mpmath>=1.3",
    *IPOPT,
]

setup(
    name="autoopt",
    version=VERSION,
    description="Optimise plain NumPy objectives with exact, readable derivatives",
    long_description=(HERE / "README.rst").read_text(),
    long_description_content_type="text/x-rst",
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    python_requires=">=3.11,<3.15",
    packages=[*find_packages(include=["autoopt", "autoopt.*"]), "autoopt.cli"],
    package_dir={"autoopt.cli": "cli"},
    py_modules=["autoopt_command"],
    package_data={"autoopt": ["py.typed", "reports/page.html", "reports/page.css", "runs/*.json"]},
    install_requires=[  # both ends were tested: docs/releases.rst
        "numpy>=2.2,<2.6",
        "scipy>=1.17,<1.19",
        "pytensor>=3.0.7,<3.4",
        "llvmlite>=0.45,<0.51",
        "threadpoolctl>=3.5,<4",
        "click>=8.3,<9",
        "rich>=13.9,<16",
        "pandas>=2.2.2,<4",
        "packaging>=22,<27",  # PyTensor's patterns match nothing without it, and its own packages do not ask for it
    ],
    extras_require={
        **EXTRAS,
        "all": [package for packages in EXTRAS.values() for package in packages],
        "docs": [*DOCS, *EXTRAS["plot"]],
        "ipopt": IPOPT,
        "ray": RAY,
        "test": TEST,
        "dev": [*TEST, *DOCS, "pre-commit>=4", "pre-commit-hooks>=5", "towncrier>=24.8"],
        "bench": ["jax", "autograd", "casadi", "statsmodels", "scikit-learn", "glum"],
    },
    entry_points={"console_scripts": ["autoopt = autoopt_command:main"]},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Mathematics",
    ],
)
