"""The command line: golden output, exit statuses, and two real processes. `AUTOOPT_GOLDEN=1 pytest` rewrites golden."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

import autoopt
from autoopt.cli.main import main, modules

GOLDEN = Path(__file__).parents[1] / "golden"
NORMAL = """\
import numpy as np

kind = "negative log-likelihood"
names = ["mean", "log sd"]
x0 = np.zeros(2)
SCALE = 1.0


def objective(params, y):
    mean, log_sd = params
    return np.sum(0.5 * ((SCALE * y - mean) / np.exp(log_sd)) ** 2 + log_sd)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a model and its data."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "normal.py").write_text(NORMAL)
    (tmp_path / "d.csv").write_text("y,name\n1,a\n2,b\n4,c\n7,d\n")
    (tmp_path / "bad.csv").write_text("y,name\n1,a\n,b\nx,c\n7,d\n")
    return tmp_path


def run(*args):
    return CliRunner().invoke(main, [str(arg) for arg in args], prog_name="autoopt", terminal_width=100)


def matches_golden(name, text):
    """Compare with the golden file, numbers that depend on the machine left out."""
    text = text.replace("Try 'autoopt fit -h' for help.", "Try 'autoopt fit --help' for help.")  # click before 8.4
    text = re.sub(r"(?m)^(status .*?:).*(\n {16}.*)*$", r"\1 ...", text)
    text = re.sub(r"(?m)^(run +).*(\n {16}.*)*$", r"\1...", text)
    text = re.sub(r"\(value off by[^)]*\)", "(...)", text)
    text = text.replace(os.getcwd(), "FOLDER")
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("AUTOOPT_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("args", [["--help"], ["fit", "--help"], ["methods"]], ids=["help", "fit_help", "methods"])
def test_texts_are_golden(args, request):
    outcome = run(*args)
    assert outcome.exit_code == 0 and not outcome.stderr
    matches_golden(request.node.callspec.id, outcome.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("module", ["autoopt", "autoopt.cli"])
def test_package_runs_as_the_command_does(module):
    done = subprocess.run([sys.executable, "-m", module, "methods"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == run("methods").stdout


@pytest.mark.parametrize("name", [module.__name__.rpartition(".")[2] for module, _ in modules()])
def test_every_command_is_listed_and_has_its_line_and_help(name):
    module, command = next(pair for pair in modules() if pair[0].__name__.endswith(f".{name}"))
    line = re.fullmatch(rf"`(autoopt {name}\b.*)`: ([a-z].*)\.", module.__doc__.partition("\n")[0])
    assert line, "the first line of the docstring is: `autoopt NAME ARGUMENTS`: what it does."
    assert re.search(rf"(?m)^  {re.escape(line[1])}  +{re.escape(line[2])}$", run("--help").stdout)
    assert main.get_command(None, name) is command
    helped = run(name, "--help")
    assert helped.exit_code == 0 and command.help.partition("\n")[0] in helped.stdout
    assert all(option.help for option in command.params if isinstance(option, click.Option)), "an option has no help"


def test_version_is_the_packages():
    assert run("--version").stdout == f"autoopt {autoopt.__version__}\n"


def test_result_is_golden(folder):
    outcome = run("fit", "normal.py", "--data", "d.csv", "--method", "trust-exact", "--quiet")
    assert outcome.exit_code == 0 and not outcome.stderr
    matches_golden("fit", outcome.stdout)


MISTAKES = {
    "no_model": (1, ["normall.py"]),
    "no_data": (1, ["normal.py"]),
    "no_file": (1, ["normal.py", "--data", "e.csv"]),
    "bad_values": (1, ["normal.py", "--data", "bad.csv"]),
    "no_column": (1, ["normal.py", "--data", "d.csv", "--target", "name"]),
    "no_method": (2, ["normal.py", "--data", "d.csv", "--method", "newton"]),
    "no_option": (2, ["normal.py", "--data", "d.csv", "--method", "cg", "--option", "gtoll=1"]),
    "no_constant": (2, ["normal.py", "--data", "d.csv", "--set", "scale=2"]),
    "no_value": (2, ["normal.py", "--data", "d.csv", "--set", "SCALE"]),
    "no_folder": (2, ["normal.py", "--data", "d.csv", "--output", "nowhere/out.txt"]),
    "two_maxiter": (2, ["normal.py", "--data", "d.csv", "--maxiter", "3", "--option", "maxiter=4"]),
    "raises": (1, ["raises.py"]),
    "syntax": (1, ["syntax.py"]),
    "no_objective": (1, ["typo.py"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_get_one_message_and_no_traceback(folder, name):
    (folder / "raises.py").write_text("import numpy as np\nx0 = np.zeros(3)[5]\n")
    (folder / "syntax.py").write_text("x0 = [1.0\nobjective = sum\n")
    (folder / "typo.py").write_text("x0 = [1.0]\n\n\ndef objectve(x):\n    return x[0] ** 2\n")
    status, args = MISTAKES[name]
    outcome = run("fit", *args, "--quiet")  # on a busy machine reading takes long enough to be shown
    assert outcome.exit_code == status
    assert outcome.stdout == "" and "Traceback" not in outcome.stderr
    matches_golden(f"error_{name}", outcome.stderr)


def test_traceback_is_shown_on_request(folder):
    (folder / "raises.py").write_text("x0 = 1 / 0\n")
    outcome = run("fit", "raises.py", "--traceback")
    assert outcome.exit_code == 1 and "Traceback" in outcome.stderr and "ZeroDivisionError" in outcome.stderr


def test_not_converged_is_3_and_still_prints(folder):
    outcome = run("fit", "normal.py", "--data", "d.csv", "--method", "cg", "--maxiter", "1")
    assert outcome.exit_code == 3 and "not converged" in outcome.stdout


def test_not_identified_is_5(folder):
    (folder / "flat.py").write_text(
        'kind = "negative log-likelihood"\nx0 = [0.0, 0.0]\n\n\ndef objective(x):\n    return (x[0] + x[1] - 1) ** 2\n'
    )
    outcome = run("fit", "flat.py", "--method", "bfgs")
    assert outcome.exit_code == 5 and "not identified" in outcome.stdout


def test_wrong_derivative_is_4(folder):
    (folder / "wrong.py").write_text(
        "import numpy as np\nx0 = np.ones(2)\n\n\ndef objective(x):\n    return (x**2).sum()\n\n\n"
        "def jac(x):\n    return 2.002 * x\n"
    )
    outcome = run("fit", "wrong.py", "--method", "cg")
    assert outcome.exit_code == 4 and "wrong" in outcome.stderr and outcome.stdout == ""


def test_json_is_one_document_with_null_for_nan(folder):
    outcome = run("fit", "normal.py", "--data", "d.csv", "--method", "cg", "--maxiter", "1", "--json")
    told = json.loads(outcome.stdout, parse_constant=pytest.fail)
    assert told["status"] == "not converged" and told["bse"] == [None, None]
    assert told["names"] == ["mean", "log sd"] and len(told["params"]) == 2


def test_what_the_model_prints_stays_off_stdout(folder):
    (folder / "talks.py").write_text("print('hello')\n" + NORMAL)
    outcome = run("fit", "talks.py", "--data", "d.csv", "--json")
    assert json.loads(outcome.stdout)["status"] == "converged" and "hello" in outcome.stderr


def test_settings_options_and_tolerance_are_used(folder):
    told = [
        json.loads(run("fit", "normal.py", "--data", "d.csv", "--method", "cg", "--json", *more).stdout)
        for more in ([], ["--set", "SCALE=2"], ["--tol", "0.5"], ["--option", "gtol=0.5"])
    ]
    assert told[1]["params"][0] == pytest.approx(7, rel=1e-6)
    assert told[2]["nit"] < told[0]["nit"] and told[3]["nit"] < told[0]["nit"]


def test_verification_can_be_turned_off(folder):
    outcome = run("fit", "normal.py", "--data", "d.csv", "--verify", "off", "--json")
    assert json.loads(outcome.stdout)["verification"] is None


def test_output_is_written_whole_and_nothing_else(folder):
    outcome = run("fit", "normal.py", "--data", "d.csv", "--output", "out.json")
    assert outcome.exit_code == 0 and outcome.stdout == ""
    assert json.loads((folder / "out.json").read_text())["status"] == "converged"
    assert run("fit", "normal.py", "--data", "bad.csv", "--output", "none.txt").exit_code == 1
    assert not list(folder.glob("*none*")) and not list(folder.glob(".out*"))


@pytest.mark.slow
def test_module_runs_as_a_process_and_tables_stay_whole(folder):
    done = subprocess.run(
        [sys.executable, "-m", "autoopt.cli", "fit", "normal.py", "--data", "d.csv"],
        capture_output=True, text=True, env={**os.environ, "COLUMNS": "20"}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"(?m)^mean +3\.500 +1\.146 ", done.stdout) and "\x1b" not in done.stdout


@pytest.mark.slow
def test_ctrl_c_is_130_and_prints_the_best_point(folder):
    slow = """
        import time
        x0 = [3.0, 4.0]
        def objective(x):
            return (x ** 2).sum()
        def jac(x):
            time.sleep(0.05)
            return 1e-6 * x
        def data():
            print("started", flush=True)
            return ()
    """
    (folder / "slow.py").write_text(textwrap.dedent(slow))
    command = [sys.executable, "-m", "autoopt.cli", "fit", "slow.py", "--verify", "off", "--method", "cg"]
    command += ["--option", "gtol=1e-300"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while "started" not in process.stderr.readline():
            assert process.poll() is None
        wait_until_running(process)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "interrupted" in stdout and "x[1]" in stdout and "Traceback" not in stderr


def wait_until_running(process):
    """Wait for the first line of progress."""
    deadline = time.monotonic() + 60
    while "iteration" not in process.stderr.readline():
        assert process.poll() is None and time.monotonic() < deadline


def test_numbers_in_the_json_are_those_of_python(folder):
    told = json.loads(run("fit", "normal.py", "--data", "d.csv", "--json").stdout)
    found = autoopt.fit("normal.py", data="d.csv")
    np.testing.assert_allclose(told["params"], found.params, rtol=1e-6)
    np.testing.assert_allclose(told["bse"], found.bse, rtol=1e-5)


SLOW = """
import time
x0 = [3.0, 4.0]
def objective(x):
    return (x ** 2).sum()
def jac(x):
    time.sleep(0.05)
    return 1e-6 * x
"""


@pytest.mark.slow
def test_sigterm_is_143_and_prints_the_best_point(folder):
    (folder / "slow.py").write_text(SLOW)
    command = [sys.executable, "-m", "autoopt.cli", "fit", "slow.py", "--verify", "off", "--method", "cg"]
    command += ["--option", "gtol=1e-300"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until_running(process)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 143, stderr
    assert "interrupted" in stdout and "x[1]" in stdout and "Traceback" not in stderr


def test_handler_of_sigterm_is_put_back(folder):
    before = signal.getsignal(signal.SIGTERM)
    run("fit", "normal.py", "--data", "d.csv", "--quiet")
    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_while_standard_errors_are_computed_prints_the_fit(folder, monkeypatch):
    from autoopt.objectives.objective import Objective

    def interrupt(self, x, sparse=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(Objective, "hess", interrupt)
    outcome = run("fit", "normal.py", "--data", "d.csv", "--method", "bfgs", "--quiet")
    assert (
        outcome.exit_code == 130
        and "3.5" in outcome.stdout
        and "interrupted while they were computed" in outcome.stdout
    )


def test_ctrl_c_before_the_first_iteration_prints_the_start(folder, monkeypatch):
    from autoopt.execution import engines

    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(engines, "compiled", interrupt)
    outcome = run("fit", "normal.py", "--data", "d.csv", "--method", "bfgs")
    assert outcome.exit_code == 130 and outcome.stderr == "d.csv: 4 rows, 1 of 2 columns used: y 1 to 7\n"
    matches_golden("fit_interrupted", outcome.stdout)
    told = json.loads(run("fit", "normal.py", "--data", "d.csv", "--json").stdout)
    assert told["status"] == "interrupted" and told["params"] == [0.0, 0.0] and told["nit"] == 0


def test_output_goes_where_a_link_leads_with_the_rights_that_were_there(folder):
    (folder / "real.txt").write_text("old")
    (folder / "link.txt").symlink_to("real.txt")
    (folder / "real.txt").chmod(0o600)
    assert run("fit", "normal.py", "--data", "d.csv", "--quiet", "-o", "link.txt").exit_code == 0
    assert (folder / "link.txt").is_symlink() and "converged" in (folder / "real.txt").read_text()
    assert (folder / "real.txt").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of Unix")
def test_output_to_a_pipe_is_read_at_its_other_end(folder):
    os.mkfifo(folder / "pipe")
    reader = subprocess.Popen(["cat", folder / "pipe"], stdout=subprocess.PIPE, text=True)
    assert run("fit", "normal.py", "--data", "d.csv", "--quiet", "--output", "pipe").exit_code == 0
    assert "converged" in reader.communicate(timeout=60)[0] and (folder / "pipe").is_fifo()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_device_stays_a_device(folder):
    outcome = run("fit", "normal.py", "--data", "d.csv", "--quiet", "--output", "/dev/full")
    assert outcome.exit_code == 1 and "No space left on device" in outcome.stderr and "converged" in outcome.stdout
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("name", ["result.json", "result.txt"])
def test_output_that_cannot_be_written_is_printed(folder, name, monkeypatch):
    def full(self, *args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    outcome = run("fit", "normal.py", "--data", "d.csv", "--quiet", "--output", name)
    assert outcome.exit_code == 1 and not (folder / name).exists()
    assert f"The result cannot be written to {name}: No space left on device." in outcome.stderr
    if name.endswith("json"):
        assert json.loads(outcome.stdout)["status"] == "converged"
    else:
        assert re.search("status +converged", outcome.stdout)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("method", ["trust-exact", "dogleg"])
def test_full_disk_behind_stdout_is_told_with_the_result(folder, method):
    command = [sys.executable, "-m", "autoopt.cli", "fit", "normal.py", "--data", "d.csv", "--quiet"]
    with open("/dev/full", "w") as full:
        done = subprocess.run([*command, "--method", method], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode in (1, 3) and "Traceback" not in done.stderr
    assert "The result cannot be written to stdout: No space left on device. It is:" in done.stderr
    assert "log sd" in done.stderr and "Exception ignored" not in done.stderr


def test_error_on_the_way_prints_the_best_point_too(folder):
    text = (
        "x0 = [3.0, 4.0]\ndef objective(x):\n    if x[0] < 2.5:\n        return undefined\n    return (x ** 2).sum()\n"
    )
    (folder / "raises.py").write_text(text)
    outcome = run("fit", "raises.py", "--quiet", "--method", "cg")
    assert outcome.exit_code == 1 and "NameError" in outcome.stderr
    assert "not converged" in outcome.stdout and "x[1]" in outcome.stdout


def test_inflexion_without_a_minimum_is_3(folder):
    text = "x0 = [0.0, 0.0]\ndef objective(w):\n    return w[0] ** 3 + w[1] ** 2\n"
    (folder / "cube.py").write_text(text)
    outcome = run("fit", "cube.py", "--quiet")
    assert outcome.exit_code == 3 and "not bounded below" in outcome.stdout


def test_saddle_is_left(folder):
    text = "x0 = [0.0, 0.0]\nmethod = 'bfgs'\ndef objective(w):\n    return w[0] ** 2 - w[1] ** 2 + w[1] ** 4\n"
    (folder / "saddle.py").write_text(text)
    outcome = run("fit", "saddle.py", "--quiet")
    assert outcome.exit_code == 0 and "left a saddle point or maximum along" in outcome.stdout


def test_ctrl_c_while_modules_are_imported_shows_no_traceback():
    code = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            os.kill(os.getpid(), signal.SIGINT)
sys.path.append({root!r})
sys.meta_path.insert(0, Interrupting())
import autoopt_command
autoopt_command.main()
"""
    root = str(Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", code.format(root=root), "fit"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


@pytest.mark.slow
@pytest.mark.parametrize(("where", "status"), [("as_it_ends", 130), ("when_all_is_done", 0)])
def test_ctrl_c_at_the_end_is_no_death_by_the_signal(where, status):
    code = """
import atexit, os, signal, sys
sys.path.append({root!r})
import autoopt_command, autoopt.cli.main
interrupt = lambda: os.kill(os.getpid(), signal.SIGINT)
if {where!r} == "when_all_is_done":
    atexit.register(interrupt)
autoopt.cli.main.main = lambda prog_name: atexit.register(interrupt) if {where!r} == "as_it_ends" else None
autoopt_command.main()
"""
    code = code.format(root=str(Path(__file__).parents[2]), where=where)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (status, "") and "Traceback" not in done.stderr


def test_command_of_the_package_is_the_command_line(folder):
    code = f"import sys; sys.path.append({str(Path(__file__).parents[2])!r}); import autoopt_command as command; "
    code += "sys.argv = ['autoopt', '--version']; command.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("autoopt ")


def test_derivative_that_is_wrong_away_from_the_start_is_4(folder):
    text = "x0 = [0.0]\ndef objective(x):\n    return (x[0] - 3.0) ** 2\n"
    text += "def jac(x):\n    return 2 * (x - 3.0) if x[0] < 0.5 else 2 * (x - 1.0)\n"
    (folder / "wrong.py").write_text(text)
    outcome = run("fit", "wrong.py", "--quiet")
    assert outcome.exit_code == 4 and "Not verified at the solution" in " ".join(outcome.stdout.split())
