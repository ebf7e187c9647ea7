"""Physics and engineering: trajectories, optics, orbits, geodesy, spectra, structures, clusters."""

import cmath
import math

import numpy as np
from scipy.constants import c as light_speed
from scipy.constants import h
from scipy.constants import k as boltzmann
from scipy.integrate import simpson, trapezoid
from scipy.linalg import expm, solve, solve_banded, toeplitz

from corpus.table import Case

rng = np.random.default_rng(505)


def lotka_volterra_rk4(p, t, data):
    """Predator and prey by hand-written RK4."""
    alpha, beta, delta, gamma = np.exp(p[:4])

    def rhs(z):
        u, v = z
        return np.array([alpha * u - beta * u * v, delta * u * v - gamma * v])

    z = np.exp(p[4:6])
    out = np.zeros((len(t), 2))
    out[0] = z
    for i in range(len(t) - 1):
        dt = t[i + 1] - t[i]
        k1 = rhs(z)
        k2 = rhs(z + dt / 2 * k1)
        k3 = rhs(z + dt / 2 * k2)
        k4 = rhs(z + dt * k3)
        z = z + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        out[i + 1] = z
    return np.sum((out - data) ** 2)


def damped_pendulum_euler(p, n, dt, seen):
    """Semi-implicit Euler with plain floats."""
    g_over_l, damping, theta = p
    omega = 0.0
    miss = 0.0
    for i in range(n):
        omega += dt * (-g_over_l * math.sin(theta) - damping * omega)
        theta += dt * omega
        if i % 4 == 0:
            miss += (theta - seen[i // 4]) ** 2
    return miss


def chemical_kinetics(p, t, conc):
    """A -> B -> C, linear, by the matrix exponential."""
    k1, k2 = np.exp(p)
    K = np.array([[-k1, 0, 0], [k1, -k2, 0], [0, k2, 0]])
    c0 = np.array([1.0, 0, 0])
    err = 0
    for ti, ci in zip(t, conc):
        err += ((expm(K * ti) @ c0 - ci) ** 2).sum()
    return err


def thin_lenses(p, rays):
    """Two thin lenses; ABCD matrices; spot size."""
    f1, f2, d = p
    lens = lambda f: np.array([[1, 0], [-1 / f, 1]])
    gap = lambda s: np.array([[1, s], [0, 1]])
    M = gap(40.0) @ lens(f2) @ gap(d) @ lens(f1)
    y = M @ rays
    return np.mean(y[0] ** 2)


def kepler_orbit(p, times, radius):
    """Solve Kepler's equation by Newton's iteration to convergence."""
    a, e, phase = p[0], 0.9 / (1 + np.exp(-p[1])), p[2]
    total = 0.0
    for t, r in zip(times, radius):
        M = t + phase
        E = M
        while True:
            step = (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
            E = E - step
            if abs(step) < 1e-12:
                break
        total += (a * (1 - e * np.cos(E)) - r) ** 2
    return total


def binary_star_velocity(p, t, rv):
    K, gamma, w, e = p[0], p[1], p[2], np.tanh(p[3]) ** 2
    M = np.mod(2 * np.pi * t, 2 * np.pi)
    E = M.copy()
    for _ in range(12):
        E = E - (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
    nu = 2 * np.arctan2(np.sqrt(1 + e) * np.sin(E / 2), np.sqrt(1 - e) * np.cos(E / 2))
    model = gamma + K * (np.cos(nu + w) + e * np.cos(w))
    return np.sum((rv - model) ** 2)


def haversine(lat1, lon1, lat2, lon2):
    dlat, dlon = lat2 - lat1, lon2 - lon1
    s = np.sin(dlat / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin(dlon / 2) ** 2
    return 2 * 6371.0 * np.arcsin(np.sqrt(s))


def trilateration(pos, stations, dist):
    lat, lon = np.radians(pos)
    st = np.deg2rad(stations)
    return np.mean((haversine(lat, lon, st[:, 0], st[:, 1]) - dist) ** 2) / 1e4


def geodetic_height(p, xyz):
    """ECEF from latitude, longitude, height on the ellipsoid."""
    lat, lon, hgt = p
    a, f = 6378.137, 1 / 298.257223563
    e2 = f * (2 - f)
    N = a / math.sqrt(1 - e2 * math.sin(lat) ** 2)
    X = (N + hgt) * math.cos(lat) * math.cos(lon)
    Y = (N + hgt) * math.cos(lat) * math.sin(lon)
    Z = (N * (1 - e2) + hgt) * math.sin(lat)
    return math.hypot(X - xyz[0], math.hypot(Y - xyz[1], Z - xyz[2])) ** 2 / 1000


def spectrum_peaks(p, nu, I):
    """Sum of Gaussian and Lorentzian lines on a sloping background."""
    bg = p[0] + p[1] * nu
    lines = p[2:].reshape(-1, 3)
    model = bg.copy()
    for k, (amp, pos, width) in enumerate(lines):
        if k % 2:
            model += amp * np.exp(-(((nu - pos) / width) ** 2) / 2)
        else:
            model += amp / (1 + ((nu - pos) / width) ** 2)
    return ((model - I) ** 2).sum()


def complex_permittivity(p, omega, measured):
    """Debye relaxation, complex residuals."""
    eps = p[0] + (p[1] - p[0]) / (1 + 1j * omega * np.exp(p[2]))
    d = eps - measured
    return np.sum(d.real**2 + d.imag**2)


def impedance_scalar(p, freq, magnitude):
    R, L, C = [math.exp(v) for v in p]
    sse = 0.0
    for w, m in zip(freq, magnitude):
        Z = R + 1j * (w * L - 1 / (w * C))
        sse += (abs(Z) - m) ** 2
    return sse


def blackbody(p, wavelength, radiance):
    T = 1000 * p[0]
    x = h * light_speed / (wavelength * boltzmann * T)
    B = p[1] / (wavelength * 1e6) ** 5 / np.expm1(x)
    return np.sum((B - radiance) ** 2)


def lennard_jones(x):
    pos = x.reshape(-1, 3)
    e = 0.0
    for i in range(len(pos)):
        for j in range(i + 1, len(pos)):
            r2 = np.sum((pos[i] - pos[j]) ** 2)
            s6 = 1 / r2**3
            e += 4 * (s6**2 - s6)
    return e


def lennard_jones_triu(x):
    pos = x.reshape((x.size // 3, 3))
    i, j = np.triu_indices(len(pos), k=1)
    r = np.linalg.norm(pos[i] - pos[j], axis=1)
    return 4 * np.sum(r**-12 - r**-6)


def spring_network(u, nodes, springs, load):
    """Potential energy of stretched springs under a load."""
    pos = nodes + u.reshape(nodes.shape)
    energy = -np.sum(load * u)
    for (a, b), stiffness, rest in springs:
        length = np.linalg.norm(pos[a] - pos[b])
        energy += 0.5 * stiffness * (length - rest) ** 2
    return energy


def bar_elasticity(E, load, shown):
    """Stiffness matrix assembled element by element; displacement by solve."""
    n = len(E)
    K = np.zeros((n + 1, n + 1))
    for e in range(n):
        k = np.exp(E[e]) * np.array([[1, -1], [-1, 1]])
        K[e : e + 2, e : e + 2] += k
    u = solve(K[1:, 1:], load, assume_a="pos")
    return np.sum((u - shown) ** 2)


def heat_equation(p, u0, nsteps, final):
    """Explicit finite differences; in-place update of the interior."""
    d = 0.4 / (1 + np.exp(-p[0]))
    u = u0 * p[1]
    for _ in range(nsteps):
        u[1:-1] = u[1:-1] + d * (u[2:] - 2 * u[1:-1] + u[:-2])
        u[0] = u[1]
        u[-1] = u[-2]
    return ((u - final) ** 2).sum()


def crank_nicolson(p, u0, final):
    n = len(u0)
    r = np.exp(p[0])
    ab = np.zeros((3, n))
    ab[0, 1:] = -r
    ab[1] = 1 + 2 * r
    ab[2, :-1] = -r
    u = u0.copy()
    for _ in range(3):
        u = solve_banded((1, 1), ab, u)
    return np.sum((p[1] * u - final) ** 2)


def brachistochrone(y, x):
    yy = np.concatenate([[1.0], y, [0.2]])
    ds = np.hypot(np.diff(x), np.diff(yy))
    v = np.sqrt(2 * 9.81 * (1.05 - 0.5 * (yy[1:] + yy[:-1])))
    return (ds / v).sum()


def variational_energy(p, r):
    psi = np.exp(-np.exp(p[0]) * r) * (1 + p[1] * r)
    dpsi = np.gradient(psi, r)
    kinetic = 0.5 * trapezoid(dpsi**2 * r**2, r)
    potential = -simpson(psi**2 * r, x=r)
    return (kinetic + potential) / np.trapezoid(psi**2 * r**2, x=r)


def deconvolution(u, kernel, blurred):
    return np.sum((np.convolve(u, kernel, mode="same") - blurred) ** 2) + 0.1 * np.sum(np.diff(u, n=2) ** 2)


def toeplitz_noise(p, signal):
    C = toeplitz(np.exp(-np.exp(p[0]) * np.arange(len(signal)))) + np.exp(p[1]) * np.eye(len(signal))
    L = np.linalg.cholesky(C)
    z = np.linalg.solve(L, signal)
    return z @ z + 2 * np.log(np.diag(L)).sum()


def two_body(state, dt, nsteps, target):
    """Leapfrog with in-place velocity updates."""
    r, v = state[:2].copy(), state[2:].copy()
    for _ in range(nsteps):
        v -= 0.5 * dt * r / np.sum(r**2) ** 1.5
        r += dt * v
        v -= 0.5 * dt * r / np.sum(r**2) ** 1.5
    return np.sum((r - target) ** 2)


def phase_sum(p):
    """Interference of a few slits with cmath."""
    total = 0j
    for k in range(4):
        total += cmath.exp(1j * k * p[0]) * p[1]
    return abs(total) ** 2


t8 = np.linspace(0, 3, 7)
nu = np.linspace(0, 10, 30)
lines0 = np.array([0.2, 0.05, 1.0, 3.0, 0.7, 0.8, 6.5, 1.1])
omega = np.logspace(-2, 2, 9)
lj0 = np.array([0, 0, 0, 1.1, 0, 0, 0.5, 1.0, 0.1, 0.4, 0.4, 0.9])
nodes = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1.0]])
springs = [((0, 1), 2.0, 0.9), ((1, 2), 1.0, 1.1), ((2, 3), 3.0, 1.0), ((0, 2), 0.5, 1.3)]
r_grid = np.linspace(0.01, 8, 25)

CASES = [
    Case("lotka_volterra_rk4", lotka_volterra_rk4, np.array([0.1, -0.5, -0.6, -0.1, 0.3, 0.1]), (t8[:3], rng.uniform(0.5, 2, (3, 2))), tags="rk4 closure unpack"),
    Case("damped_pendulum_euler", damped_pendulum_euler, np.array([2.0, 0.2, 1.0]), (9, 0.1, np.array([0.9, 0.5, -0.1])), (np.zeros(3),), tags="math fortran"),
    Case("chemical_kinetics", chemical_kinetics, np.array([0.1, -0.4]), (t8[1:3], rng.uniform(0, 1, (2, 3))), tags="expm nested-array"),
    Case("thin_lenses", thin_lenses, np.array([50.0, -30.0, 10.0]), (np.array([[1.0, 2, -1], [0.01, 0, 0.02]]),), tags="lambda matrices"),
    Case("kepler_orbit", kepler_orbit, np.array([1.1, -1.0, 0.2]), (np.array([0.3, 4.0]), np.array([0.8, 1.2])), tags="while convergence", noise=1e-15),
    Case("binary_star_velocity", binary_star_velocity, np.array([2.0, 0.3, 0.7, 0.6]), (np.linspace(0.03, 1.9, 12), rng.normal(size=12)), tags="mod arctan2 loop"),
    Case("trilateration", trilateration, np.array([47.0, 8.0]), (np.array([[46.2, 6.1], [52.5, 13.4], [48.2, 16.4]]), np.array([300.0, 700, 650])), tags="radians helper"),
    Case("geodetic_height", geodetic_height, np.array([0.8, 0.2, 0.5]), (np.array([4300.0, 900.0, 4600.0]),), tags="math"),
    Case("spectrum_peaks", spectrum_peaks, lines0, (nu, np.exp(-((nu - 3) ** 2)) + 0.2), tags="copy augmented unpack"),
    Case("complex_permittivity", complex_permittivity, np.array([2.0, 9.0, 0.1]), (omega, 3 + 5 / (1 + 1.2j * omega)), tags="complex"),
    Case("impedance_scalar", impedance_scalar, np.array([0.1, 0.2, -0.3]), (omega[3:7], np.array([4.0, 2.0, 1.0, 3.0])), tags="complex math scalars"),
    Case("blackbody", blackbody, np.array([4.0, 900.0]), (np.linspace(0.4e-6, 2e-6, 10), np.linspace(1, 3, 10)), tags="constants scale"),
    Case("lennard_jones", lennard_jones, lj0, tags="double-loop"),
    Case("lennard_jones_triu", lennard_jones_triu, lj0, tags="triu_indices norm"),
    Case("spring_network", spring_network, 0.1 * rng.normal(size=8), (nodes, springs, 0.1 * rng.normal(size=8)), (np.zeros(8),), tags="tuple-data norm"),
    Case("bar_elasticity", bar_elasticity, np.array([0.0, 0.3, -0.2]), (np.array([0.1, 0.0, 0.5]), np.array([0.4, 0.7, 1.3])), tags="assembly solve slices"),
    Case("heat_equation", heat_equation, np.array([0.2, 1.1]), (np.sin(np.linspace(0, 3, 8)), 4, np.full(8, 0.5)), tags="in-place slices"),
    Case("crank_nicolson", crank_nicolson, np.array([-0.5, 1.0]), (np.sin(np.linspace(0, 3, 8)), np.full(8, 0.3)), tags="solve_banded"),
    Case("brachistochrone", brachistochrone, np.linspace(0.8, 0.3, 5), (np.linspace(0, 1, 7),), tags="hypot diff"),
    Case("variational_energy", variational_energy, np.array([0.1, 0.2]), (r_grid,), tags="gradient simpson trapezoid"),
    Case("deconvolution", deconvolution, rng.normal(size=12), (np.array([0.2, 0.5, 0.3]), rng.normal(size=12)), (np.zeros(12),), tags="convolve diff"),
    Case("toeplitz_noise", toeplitz_noise, np.array([-1.0, -1.5]), (rng.normal(size=9),), tags="toeplitz cholesky"),
    Case("two_body", two_body, np.array([1.0, 0.0, 0.1, 0.9]), (0.1, 4, np.array([0.8, 0.5])), tags="augmented copy"),
    Case("phase_sum", phase_sum, np.array([0.4, 1.2]), tags="cmath"),
]
