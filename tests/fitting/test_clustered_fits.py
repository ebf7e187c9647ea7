"""Fits whose rows are on a cluster: estimates and standard errors are those of rows in memory."""

import numpy as np
import pytest

import autoopt
from autoopt.clusters import parse
from autoopt.errors import UsageError


def likelihood(beta, X, y):
    z = X @ beta
    return np.sum(np.logaddexp(0.0, z)) - y @ z


KIND = "negative log-likelihood"


@pytest.fixture(scope="module")
def executor():
    with parse("local:2") as opened:
        yield opened


def data(rows=30_000):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(rows, 3))
    return X, (rng.random(rows) < 1 / (1 + np.exp(-X @ np.array([0.5, -1.0, 0.2])))) * 1.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tuple", "dict", "batches", "parquet"])
def test_estimates_and_standard_errors_are_those_of_memory(executor, kind, tmp_path):
    X, y = data()
    given = {"tuple": (X, y), "dict": {"X": X, "y": y}, "batches": autoopt.batches({"X": X, "y": y})}.get(kind)
    if given is None:
        pandas = pytest.importorskip("pandas")
        for number, part in enumerate(np.array_split(np.arange(len(y)), 3)):
            pandas.DataFrame(X[part], columns=list("abc")).assign(y=y[part]).to_parquet(tmp_path / f"p{number}.parquet")
        given = str(tmp_path / "p*.parquet")
    target = "y" if kind == "parquet" else None
    found = autoopt.fit(likelihood, np.zeros(3), given, kind=KIND, target=target, cluster=executor)
    expected = autoopt.fit(likelihood, np.zeros(3), (X, y), kind=KIND)
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-8)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-7)
    assert found.result.success and found.nobs == 30_000


def test_what_needs_all_rows_here_is_refused(executor):
    X, y = data(500)
    with pytest.raises(UsageError, match="held by workers, and weights needs them in memory") as told:
        autoopt.fit(likelihood, np.zeros(3), {"X": X, "y": y}, kind=KIND, weights=np.ones(500), cluster=executor)
    assert "leave out --workers" in told.value.remedy


def test_a_cluster_in_place_of_a_column_of_groups_is_told_where_it_belongs():
    X, y = data(500)
    with pytest.raises(UsageError, match="no column of the data, but names a cluster") as told:
        autoopt.fit(likelihood, np.zeros(3), {"X": X, "y": y}, kind=KIND, groups="local:2")
    assert "--workers local:2" in told.value.remedy


@pytest.mark.parametrize("asked", [{"formula": "y ~ X"}, {"categories": ["X"]}, {"weights": "w"}, {"groups": "w"},
                                   {"penalty": "firth"}, {"covariance": "HC1"}])  # fmt: skip
def test_what_needs_all_rows_here_says_to_leave_the_workers_out(executor, asked):
    X, y = data(500)
    with pytest.raises(UsageError, match="The rows are held by workers, and ") as told:
        autoopt.fit(likelihood, np.zeros(3), {"X": X, "y": y, "w": y}, kind=KIND, cluster=executor, **asked)
    assert "leave out --workers (cluster= in Python)" in told.value.remedy


def test_models_by_name_say_to_leave_the_workers_out(executor):
    X, y = data(500)
    with pytest.raises(UsageError, match="the model logistic needs them in memory") as told:
        autoopt.fit("logistic", data={"X": X, "y": y}, cluster=executor)
    assert "leave out --workers" in told.value.remedy


def test_progress_says_which_columns_are_used_and_how_many_rows_are_summed(executor, capsys):
    X, y = data(500)
    autoopt.fit(likelihood, np.zeros(3), {"X": X, "y": y, "w": y}, kind=KIND, cluster=executor, progress=True)
    assert "The data: 500 rows, held by workers, 2 of 3 arrays used: X, y" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_fits_files_by_workers(tmp_path):
    from click.testing import CliRunner

    from autoopt.cli.main import main

    pandas = pytest.importorskip("pandas")
    X, y = data(3000)
    pandas.DataFrame(X, columns=list("abc")).assign(y=y).to_parquet(tmp_path / "all.parquet")
    model = tmp_path / "model.py"
    model.write_text(
        "import numpy as np\n"
        "kind, x0 = 'negative log-likelihood', np.zeros(3)\n"
        "def objective(beta, X, y):\n"
        "    z = X @ beta\n"
        "    return np.sum(np.logaddexp(0.0, z)) - y @ z\n"
    )
    asked = ["fit", str(model), "--data", str(tmp_path / "all.parquet"), "--target", "y", "--quiet"]
    outcome = CliRunner().invoke(main, [*asked, "--workers", "local:2"])
    assert outcome.exit_code == 0 and "observations    3000" in outcome.stdout
    refused = CliRunner().invoke(main, [*asked, "--workers", "nowhere"])
    assert refused.exit_code == 2 and "'nowhere' is no cluster" in refused.output
