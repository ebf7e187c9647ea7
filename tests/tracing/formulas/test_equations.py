"""solve_ivp and odeint inside objectives: derivatives against differences of solutions at the tightest tolerance."""

import numpy as np
import pytest
from scipy.integrate import odeint, solve_ivp
from scipy.linalg import expm

import autoopt
from autoopt import differences
from autoopt.errors import AutooptError
from autoopt.execution.eager.sweeps import Sweeps
from autoopt.objectives.dispatch import Dispatch
from autoopt.objectives.objective import printed

TIMES = np.linspace(0.5, 5.0, 7)
POINT = np.array([1.1, 0.4, 0.4, 0.1, 4.0, 2.0])
ORDER = {"RK23": 1e-6, "RK45": 1e-8, "DOP853": 1e-8, "Radau": 1e-8, "BDF": 1e-7, "LSODA": 1e-8}
CLOSE = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-13}


def predators(t, y, a, b, c, d):
    return [a * y[0] - b * y[0] * y[1], -c * y[1] + d * y[0] * y[1]]


def at_times(p, **options):
    found = solve_ivp(predators, (0, 5), p[4:6], t_eval=TIMES, args=tuple(p[:4]), **options)
    return np.sum((found.y.T - 1.0) ** 2)


def at_the_end(p, **options):
    found = solve_ivp(lambda t, y: predators(t, y, *p[:4]), (0, 5), p[4:6], **options)
    return found.y[0, -1] * found.y[1, -1] + found.y[0][-1]


def between_parameters(p, **options):
    def f(t, y):
        return [*predators(t, y, *p[:4]), np.sin(t) * y[2]]

    found = solve_ivp(f, (p[2], p[4]), [p[4], p[5], 1.0], **options)
    return found.y[0, -1] * found.y[1, -1] + found.y[2, -1] * found.t[-1] + found.t[0]


def asked_by_parameters(p, **options):
    times = p[4] * np.array([0.5, 1.0])
    found = solve_ivp(lambda t, y: predators(t, y, *p[:4]), (p[3], 6), [p[4], p[5]], t_eval=times, **options)
    return np.sum(found.y[0] * found.y[1])


def dense(p, **options):
    found = solve_ivp(lambda t, y: predators(t, y, *p[:4]), (0, 5), p[4:6], dense_output=True, **options)
    return np.sum(found.sol(p[4] * np.array([0.5, 1.0])) ** 2) + found.sol(2.0)[0]


def until_an_event(p, **options):
    def hit(t, y):
        return y[0] - 13 * p[1]

    hit.terminal = True
    found = solve_ivp(lambda t, y: predators(t, y, *p[:4]), (0, 15), p[4:6], events=hit, **options)
    return found.t[-1] + found.y[1, -1] + found.t_events[0][0] ** 2 + found.y_events[0][0, 1]


def past_events(p, **options):
    def first(t, y):
        return y[0] - 13 * p[1]

    def second(t, y):
        return t - p[2]

    found = solve_ivp(
        lambda t, y: predators(t, y, *p[:4]), (0, 9), p[4:6], t_eval=[1.0, 9.0], events=[first, second], **options
    )
    return found.t_events[0][-1] * found.t_events[1][0] + found.y_events[0][0, 1] + found.y[0, 1]


def backwards(p, **options):
    found = solve_ivp(lambda t, y: predators(t, y, *p[:4]), (5, 0), p[4:6], t_eval=[4.0, 2.0, 0.0], **options)
    return np.sum(found.y**2)


def slowly(*cases):
    return [pytest.param(case, marks=pytest.mark.slow) for case in cases]


PROGRAMS = (
    at_times, until_an_event,
    *slowly(at_the_end, between_parameters, asked_by_parameters, dense, past_events, backwards),
)  # fmt: skip


def true_gradient(f, x, **options):
    return differences.gradient(lambda z: f(z, **(options or CLOSE)), x)[0]


def distance(found, right):
    return np.max(np.abs(found - right)) / np.max(np.abs(right))


@pytest.mark.parametrize("f", PROGRAMS)
def test_gradient_is_right_to_the_tolerance_and_the_value_is_scipys(f):
    objective = autoopt.objective(lambda p: f(p, rtol=1e-8, atol=1e-10), POINT)
    for x in (POINT, 1.013 * POINT):
        value, gradient = objective.value_and_grad(x)
        assert value == pytest.approx(f(x, rtol=1e-8, atol=1e-10), rel=1e-12)
        assert distance(gradient, true_gradient(f, x)) < 1e-7


@pytest.mark.parametrize("method", ["LSODA", *slowly("RK23", "RK45", "DOP853", "Radau", "BDF")])
def test_every_method(method):
    rtol = ORDER[method]
    options = {"method": method, "rtol": rtol, "atol": 1e-2 * rtol}
    objective = autoopt.objective(lambda p: at_times(p, **options), POINT)
    value, gradient = objective.value_and_grad(POINT)
    assert value == pytest.approx(at_times(POINT, **options), rel=1e-12)
    assert distance(gradient, true_gradient(at_times, POINT)) < 10 * rtol


@pytest.mark.parametrize("f", [at_times, *slowly(between_parameters, until_an_event)])
@pytest.mark.slow
def test_second_derivatives(f):
    objective = autoopt.objective(lambda p: f(p, **CLOSE), POINT)
    found = objective.hess(POINT)
    hessian, error = differences.hessian(objective.grad, POINT)
    assert distance(objective.grad(POINT), true_gradient(f, POINT)) < 1e-9
    assert np.max(np.abs(found - hessian)) < 1e-6 * np.max(np.abs(hessian)) + 5 * np.max(error)


@pytest.mark.slow
def test_second_derivatives_step_by_step_along_the_tape():
    def f(p):
        return solve_ivp(lambda t, y: -p[0] * y**2, (0, 1), [p[1]], rtol=1e-11, atol=1e-12).y[0, -1]

    x, direction = np.array([0.7, 1.3]), np.array([1.0, -0.5])
    objective = autoopt.objective(f, x)
    run = Sweeps(objective.dispatch.paths[0].trace.tape).at(x)
    assert np.allclose(run.gradient(), objective.grad(x), rtol=1e-9)
    assert np.allclose(run.product(direction), objective.hessp(x, direction), rtol=1e-6)

    def exact(p):
        return p[1] / (1 + p[0] * p[1])

    curvature = differences.hessp(lambda z: differences.gradient(exact, z)[0], x, direction)[0]
    assert np.allclose(objective.hessp(x, direction), curvature, rtol=1e-6)


def test_linear_equation_against_the_exponential_of_its_matrix():
    def f(p):
        matrix = np.array([[p[0], p[1]], [-p[1], p[0]]])
        return solve_ivp(lambda t, y: matrix @ y, (0, 2), [1.0, p[2]], **CLOSE).y[0, -1]

    def exact(p):
        return (expm(2 * np.array([[p[0], p[1]], [-p[1], p[0]]])) @ [1.0, p[2]])[0]

    x = np.array([-0.3, 1.2, 0.5])
    objective = autoopt.objective(f, x)
    assert np.allclose(objective.grad(x), differences.gradient(exact, x)[0], rtol=1e-9)
    a, b, y = x
    decay, turn = np.exp(2 * a), np.array([np.cos(2 * b), np.sin(2 * b)])
    value = decay * (turn[0] + y * turn[1])
    assert objective.hess(x)[0, 0] == pytest.approx(4 * value, rel=1e-7)
    assert objective.hess(x)[1, 1] == pytest.approx(-4 * value, rel=1e-7)
    assert objective.hess(x)[0, 2] == pytest.approx(2 * decay * turn[1], rel=1e-7)


@pytest.mark.slow
def test_odeint_with_its_own_order_of_arguments_and_the_other():
    def f(p):
        y = odeint(lambda y, t, a: predators(t, y, a, *p[1:4]), p[4:6], np.append(0.0, TIMES), args=(p[0],))
        z = odeint(predators, p[4:6], [p[3], 1.0, 2.0], args=tuple(p[:4]), tfirst=True, rtol=1e-9, atol=1e-11)
        return np.sum((y - 1.0) ** 2) + np.sum(z)

    def close(p):
        y = solve_ivp(predators, (0, 5), p[4:6], t_eval=np.append(0.0, TIMES), args=tuple(p[:4]), **CLOSE).y
        z = solve_ivp(predators, (p[3], 2), p[4:6], t_eval=[1.0, 2.0], args=tuple(p[:4]), **CLOSE).y
        return np.sum((y - 1.0) ** 2) + np.sum(z) + np.sum(p[4:6])

    value, gradient = autoopt.objective(f, POINT).value_and_grad(POINT)
    assert value == pytest.approx(f(POINT), rel=1e-12)
    assert distance(gradient, differences.gradient(close, POINT)[0]) < 3e-7


def robertson(t, y, a, b, c):
    flow = b * y[1] * y[2]
    return [-a * y[0] + flow, a * y[0] - flow - c * y[1] ** 2, c * y[1] ** 2]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA"])
def test_a_stiff_reaction(method):
    times = np.logspace(-1, 3, 5)

    def f(p, method=method, rtol=1e-7, atol=1e-11):
        a, b, c = np.exp(p)
        found = solve_ivp(
            robertson, (0, 1e3), [1.0, 0, 0], method=method, t_eval=times, args=(a, b, c), rtol=rtol, atol=atol
        )
        return np.sum(found.y[0] ** 2) + found.y[2, -1] + 1e4 * found.y[1, 0]

    x = np.log([0.04, 1e4, 3e7])
    gradient = autoopt.objective(f, x).grad(x)
    right = differences.gradient(lambda p: f(p, "Radau", 1e-11, 1e-15), x)[0]
    assert distance(gradient, right) < 10 * 1e-7


def test_a_jacobian_of_the_users_and_methods_of_objects():
    class Decay:
        def __init__(self, rate):
            self.rate = rate

        def slope(self, t, y):
            return -self.rate * y

        def jac(self, t, y):
            return -self.rate * np.eye(2)

    def f(p):
        model = Decay(p[0])
        found = solve_ivp(model.slope, (0, 1), [p[1], 2.0], method="BDF", jac=model.jac, rtol=1e-9, atol=1e-12)
        return found.y[0, -1] + found.y[-1, -1] ** 2

    x = np.array([0.7, 1.5])
    objective = autoopt.objective(f, x)
    assert objective.value(x) == pytest.approx(f(x), rel=1e-12)
    right = [-1.5 * np.exp(-0.7) - 8 * np.exp(-1.4), np.exp(-0.7)]
    assert np.allclose(objective.grad(x), right, rtol=1e-7)


def of_heat(p):
    def slope(t, u):
        out = np.zeros(12)
        out[1:-1] = p[0] * (u[:-2] - 2 * u[1:-1] + u[2:]) + p[1] * u[1:-1] * (1 - u[1:-1])
        return out

    return slope


def of_heat_in_a_loop(p):
    def slope(t, u):
        out = np.zeros(12)
        for i in range(1, 11):
            out[i] = p[0] * (u[i - 1] - 2 * u[i] + u[i + 1]) + p[1] * u[i] * (1 - u[i])
        return out

    return slope


def of_a_table(p):
    times, forces = np.linspace(0, 2, 5), np.array([0.0, 1.0, -1.0, 2.0, 0.5])

    def slope(t, u):
        rates = {"decay": p[0]}
        return p[1] * np.interp(t, times, forces) - rates["decay"] * u

    return slope


@pytest.mark.parametrize("equation", [of_heat, *slowly(of_heat_in_a_loop, of_a_table)])
def test_right_sides_that_write_into_arrays_and_look_up(equation):
    def f(p, rtol=1e-8, max_step=0.1):
        start = np.sin(np.linspace(0, np.pi, 12))
        found = solve_ivp(equation(p), (0, 2), start, "BDF", [1.0, 2.0], rtol=rtol, atol=1e-10, max_step=max_step)
        return np.sum(found.y**2)

    x = np.array([0.7, 1.3])
    gradient = autoopt.objective(f, x).grad(x)
    assert distance(gradient, differences.gradient(lambda p: f(p, 1e-11), x)[0]) < 1e-6


def test_a_branch_on_the_time():
    def f(p):
        def slope(t, y):
            dose = p[1] if t < 1.0 else 0.0
            return dose - p[0] * y if t < 2.0 else -0.5 * p[0] * y

        pieces = solve_ivp(slope, (0, 3), [0.2], t_eval=[0.5, 1.5, 3.0], rtol=1e-10, atol=1e-12, max_step=0.05)
        return np.sum(pieces.y)

    def exact(p):
        k, d = p

        def dosed(t):
            return 0.2 * np.exp(-k * t) + d * (1 - np.exp(-k * t)) / k

        return dosed(0.5) + dosed(1.0) * np.exp(-0.5 * k) + dosed(1.0) * np.exp(-k) * np.exp(-0.5 * k)

    x = np.array([0.8, 1.3])
    gradient = autoopt.objective(f, x).grad(x)
    assert np.allclose(gradient, differences.gradient(exact, x)[0], rtol=1e-5)


@pytest.mark.slow
def test_steps_beyond_the_room_that_there_is():
    def f(p):
        found = solve_ivp(lambda t, y: [y[1], -(p[0] ** 2) * y[0]], (0, 3), [1.0, 0.0], rtol=1e-7, atol=1e-9)
        return found.y[0, -1]

    objective = autoopt.objective(f, np.array([1.0]))
    for frequency in (1.0, 40.0, 2.0):
        value, gradient = objective.value_and_grad(np.array([frequency]))
        assert value == pytest.approx(f(np.array([frequency])), rel=1e-9, abs=1e-12)
        assert gradient[0] == pytest.approx(-3 * np.sin(3 * frequency), abs=2e-4)


def test_other_numbers_of_steps_are_no_other_path():
    def f(p):
        return np.sum(solve_ivp(lambda t, y: -p[0] * y, (0, 2), [p[1]], t_eval=[1.0, 2.0], rtol=1e-6).y)

    objective = autoopt.objective(f, np.array([1.0, 1.0]))
    for rate in (0.5, 1.0, 2.0, 3.0):
        assert np.all(np.isfinite(objective.grad(np.array([rate, 1.0]))))
    assert isinstance(objective.dispatch, Dispatch)
    assert len(objective.dispatch.paths) == 1


def test_all_states_after_the_steps_are_followed_for_their_number():
    def solved(p):
        return solve_ivp(lambda t, y: [-p[0] * y[0], p[0] * y[0]], (0, 2), [1.0, 0.0], rtol=1e-8, atol=1e-10)

    def f(p):
        found = solved(p)
        first, second = found.y
        return np.interp(0.7, found.t, first) + np.trapezoid(second, found.t) + len(found.t)

    x = np.array([0.9])
    value, gradient = autoopt.objective(f, x).value_and_grad(x)
    assert value == pytest.approx(f(x), rel=1e-12)
    times = solved(x).t
    slopes = times * np.exp(-0.9 * times)
    assert gradient[0] == pytest.approx(np.trapezoid(slopes, times) - np.interp(0.7, times, slopes), rel=1e-7)


@pytest.mark.slow
def test_the_exported_source_runs_without_autoopt():
    x = POINT
    text = printed(lambda p: until_an_event(p, rtol=1e-8, atol=1e-10), x)
    assert "solve_ivp" in text
    assert "import autoopt" not in text
    namespace = {}
    exec(compile(text, "exported", "exec"), namespace)
    prepared = namespace["prepare"]() if "prepare" in namespace else {}
    value, gradient = namespace["value_and_grad"](x, **prepared)
    assert value == pytest.approx(until_an_event(x, rtol=1e-8, atol=1e-10), rel=1e-12)
    assert distance(gradient, true_gradient(until_an_event, x)) < 1e-7


@pytest.mark.slow
def test_a_fit_is_verified_and_finds_the_parameters():
    right = np.array([1.1, 0.4, 0.4, 0.1])
    times = np.linspace(0, 10, 15)

    def states(p):
        return solve_ivp(predators, (0, 10), [10.0, 5.0], t_eval=times, args=tuple(p), rtol=1e-8, atol=1e-8).y

    data = states(right)
    result = autoopt.minimize(lambda p: np.sum((states(p) - data) ** 2), right * [1.1, 0.9, 1.1, 0.95])
    assert result.success
    assert result.verification.passed
    assert np.allclose(result.x, right, rtol=1e-5)


def test_an_equation_without_parameters_is_solved_as_it_is():
    def f(p):
        return p[0] * solve_ivp(lambda t, y: -y if y[0] > 0.5 else -2 * y, (0, 1), [1.0]).y[0, -1]

    assert autoopt.objective(f, np.ones(1)).grad(np.ones(1))[0] == pytest.approx(f(np.ones(1)))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda p: solve_ivp(lambda t, y: -y if t < p[0] else -2 * y, (0, 2), [1.0]).y[0, -1], "may jump"),
        (lambda p: solve_ivp(lambda t, y: np.where(y > p[0], -y, 0.0), (0, 2), [1.0]).y[0, -1], "may jump"),
        (lambda p: solve_ivp(lambda t, y: -np.floor(3 * y) * p[0], (0, 2), [1.0]).y[0, -1], "may jump"),
        (
            lambda p: solve_ivp(lambda t, y: [p[0] + y[1] ** 0.5, 0 * y[1]], (0, 2), [0, 0]).y[0, -1],
            "not defined close",
        ),
        (lambda p: solve_ivp(lambda t, y: -p[0] * y, (0, 2), [1.0], rtol=p[0]).y[0, -1], "rtol= that depends"),
        (lambda p: odeint(lambda y, t: -p[0] * y, [1.0], [0, 1.0], full_output=1)[0][-1, 0], "full_output="),
        (lambda p: solve_ivp(lambda t, y: 1j * p[0] * y, (0, 2), [1j]).y[0, -1].real, "complex states"),
    ],
)
def test_what_is_not_covered_names_the_line_and_a_remedy(f, message):
    with pytest.raises(AutooptError, match=message) as caught:
        autoopt.objective(f, np.array([0.7])).grad(np.array([0.7]))
    assert "test_equations.py" in str(caught.value)
    assert "To fix this" in str(caught.value)


@pytest.mark.slow
def test_a_trial_point_where_the_first_step_fails_is_stepped_back_from():
    """SciPy's y is then an empty list, which has no shape."""
    times, p0 = np.linspace(0.5, 10.0, 20), np.array([0.6, 0.03, 0.9, 0.02, 30.0, 10.0])

    def solved(p):
        def slope(t, y):
            return [p[0] * y[0] - p[1] * y[0] * y[1], -p[2] * y[1] + p[3] * y[0] * y[1]]

        return solve_ivp(slope, (0, 10), p[4:6], t_eval=times, rtol=1e-8, atol=1e-8).y

    truth = p0 * [1.05, 0.95, 1.02, 1.03, 1.0, 0.9]
    data = solved(truth)
    with np.errstate(all="ignore"):
        result = autoopt.minimize(lambda p: np.sum((solved(p) - data) ** 2), p0)
    assert result.success
    np.testing.assert_allclose(result.x, truth, rtol=1e-5)
