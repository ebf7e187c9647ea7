"""What pandas does to the order of entries, by groups and in windows, with values that depend on the parameters."""

from __future__ import annotations

import numpy as np
import pytest
from plainly import Cases, check

import autoopt
from autoopt import differences
from autoopt.errors import UnsupportedFunctionError

pd = pytest.importorskip("pandas")

T, U, R = pd.Series([0.3, 0.1, 0.9, 0.4, 0.2, 0.8]), pd.Series([1.0, -2, 0.5, 1.2, -0.7, 0.1]), np.arange(6.0)
S, OTHER = pd.Series([1.0, 2.0, 0.5, 0.7], list("abcd")), pd.Series([0.3, 0.1, 0.9, 0.4], list("dbca"))
LESS = pd.Series([0.3, 0.1, 0.9], list("dbx"))
N = pd.DataFrame({"a": [0.3, 0.1, 0.9, 0.4], "b": [1.0, 2, 3, 4]})
TURNED = pd.DataFrame({"b": [1.0, 2, 3, 4], "a": [0.3, 0.1, 0.9, 0.4]}, index=[3, 1, 0, 2])
FRAME = pd.DataFrame(
    {"g": list("uvuwvu"), "h": [1, 1, 2, 2, 1, 2], "a": T.to_numpy(), "b": [1.0, 2, 3, 4, 5, 6], "u": U.to_numpy()}
)
GROUPS = pd.DataFrame({"g": ["u", "v", "w"], "z": [2.0, 3.0, 0.5]})
POINT = np.array([1.1, 0.55])
case = Cases()


def computed(x):
    return FRAME.assign(c=FRAME.a * x[0] + FRAME.u * x[1])


@case
def labels_in_another_order(x):
    total = ((S * x[0]) * (OTHER * x[1])).to_numpy() @ np.arange(4) + (S * x[0] + LESS * x[1]).sum()
    total += (S * x[0]).add(LESS * x[1], fill_value=0.5).pow(2).sum() + (N @ pd.Series(x, index=["b", "a"])).sum()
    total += ((N * x[0]) * (TURNED * x[1])).to_numpy()[:, 1] @ np.arange(4)
    return total + ((N * x[0]) - pd.Series({"b": x[1], "a": 1.0})).to_numpy()[:, 1] @ np.arange(4)


@case
def choices_in_another_order(x):
    chosen = (S * x[0]).where(OTHER > 0.3, x[1]).to_numpy() @ np.arange(4)
    filled = (S * x[0]).mask(S > 1).fillna(OTHER * x[1]).to_numpy() @ np.arange(4)
    return chosen + filled + (S * x[0]).mask(OTHER > 0.3).sum()


@case
def by_size(x):
    """Another order at other points: which one it is, is a guard."""
    s, frame = T * x[0] + U * x[1], computed(x)
    total = (s.sort_values() * T).to_numpy() @ R + (s.rank() * T).sum() * x[0] + s.nlargest(3).sum()
    total += (frame.sort_values("c").b * x[1]).to_numpy() @ R + T[s.idxmax()] * x[0] + U[s.argmin()] * x[1]
    return total + s.cummax() @ R + frame.sort_values(["g", "a"], ascending=[True, False]).c.to_numpy() @ R


@case
def put_elsewhere(x):
    s = S * x[0]
    total = s.reindex(list("dcxa"), fill_value=x[1]).to_numpy() @ np.arange(4) + s.drop("b").sum()
    total += s.sort_index().iloc[0] * x[1]
    total += pd.concat([s, OTHER * x[1]], axis=1).prod(axis=1).sum() + pd.concat([T * x[0], U * x[1]]).pow(2).sum()
    total += s.reindex(list("abxcd")).ffill().sum() + (LESS * x[1]).combine_first(s).sum() + s.a * x[1]
    return (
        total + pd.concat([N * x[0], TURNED]).to_numpy().prod(axis=1).sum() + N.assign(c=N.a * x[0]).melt().value.sum()
    )


@case
def joins(x):
    frame, means = computed(x), computed(x).groupby("g")["c"].mean().rename("m")
    merged, joined = frame.merge(GROUPS, on="g"), FRAME.join(means, on="g")
    left = pd.merge(frame, GROUPS[:2], on="g", how="left")
    return (merged.c * merged.z).sum() + (joined.a * joined.m).sum() ** 2 + (left.c * left.z).sum() * x[1]


@case
def groups(x):
    g, c = computed(x).groupby("g"), computed(x).groupby("g")["c"]
    total = c.std().fillna(0).sum() + c.max().sum() + c.median().sum() + c.first().pow(2).sum() + c.quantile(0.3).sum()
    total += g.agg({"c": "sum", "b": "mean"}).prod(axis=1).sum()
    total += g.agg(t=("c", "sum"), m=("c", "max")).prod(axis=1).sum()
    total += c.agg(["sum", "mean"]).to_numpy().sum() + c.agg(lambda s: (s**2).sum()).sum()
    return total + sum(part.c.sum() ** 2 * len(part) for _, part in g) + g[["c", "a"]].mean().to_numpy().sum() * x[0]


@case
def functions_of_groups(x):
    g, c = computed(x).groupby("g"), computed(x).groupby("g")["c"]
    total = g.apply(lambda d: (d.c * d.b).sum() ** 2).sum() + c.apply(lambda s: s - s.mean()).pow(2).sum()
    total += c.transform(lambda s: s / s.sum()).pow(2).sum() + (computed(x).c - c.transform("mean")).pow(2).sum()
    total += FRAME.groupby("g").apply(lambda d: (d.a * x[0] * d.b).sum() ** 2).sum()
    return total + c.cumsum().pow(2).sum() + c.shift().fillna(0).sum() + c.diff().pow(2).sum() + c.size().sum() * x[0]


@case
def tables_of_groups(x):
    table = computed(x).pivot_table(index="g", columns="h", values="c", aggfunc="sum", fill_value=0)
    total = table.to_numpy().prod(axis=1).sum() + computed(x).pivot_table(index="g", values="c").to_numpy().sum() ** 2
    days = pd.Series(T.to_numpy(), index=pd.date_range("2020", periods=6)) * x[0]
    return total + days.resample("2D").sum().pow(2).sum() + days.rolling("3D").sum().pow(2).sum() * x[1]


@case
def windows(x):
    s = T * x[0] + U * x[1]
    total = s.rolling(3).std().sum() + s.rolling(2).max().sum() + s.rolling(3, min_periods=1).mean().pow(2).sum()
    total += s.expanding().mean().pow(2).sum() + s.rolling(3, center=True).sum().pow(2).sum()
    return total + s.rolling(2).apply(lambda v: v.iloc[0] * v.iloc[1]).sum() + (N * x[0]).rolling(2).mean().sum().sum()


@case
def exponential_weights(x):
    total = (T * x[0]).ewm(span=3).mean().pow(2).sum() + (T * x[0]).ewm(halflife=2, adjust=False).mean().iloc[-1]
    return total + U.ewm(alpha=1 / (1 + np.exp(-x[1]))).mean().pow(2).sum() + (N * x[0]).ewm(com=1).mean().sum().sum()


@case
def expressions(x):
    a, b = x[0], x[1]  # noqa: F841  (pandas reads b)
    total = N.eval("@a*a + @b*b**2").sum() + N.assign(c=N.a * x[0]).eval("e = sqrt(c**2)*b").e.sum()
    total += N.query("a > @b / 2").b.sum() * a + N.assign(c=N.a * x[0]).query("a > 0.2 & b < 4").c.sum()
    return total + N.assign(c=N.a * x[0]).query("not (b == 2 or b > 3)").c.sum()


@case
def missing_values(x):
    prices = T * x[0] ** 2 + R * x[1] ** 2 + 5
    total = np.log(prices / prices.shift(1)).dropna().pow(2).sum() + prices.pct_change().pow(2).sum()
    total += prices.diff().std() + np.log((N * x[0] ** 2 + 5).shift(1)).mean().sum()
    total += (N * x[0]).diff().sum(axis=1).iloc[1]
    return total + (N * x[0]).shift(1).dropna().pow(2).to_numpy().sum()


@case
def statistics(x):
    s = T * x[0] + T**2 * x[1]
    total = s.corr(U) + s.cov(U * x[0]) + s.skew() + s.kurt() + s.sem() + s.agg(["sum", "mean"]).prod()
    return total + (N * x[0] + x[1] * N**2).cov().to_numpy().sum() + (N * x[0] + x[1] * N**2).corr().to_numpy()[0, 1]


@case
def by_rows_and_columns(x):
    frame = computed(x)
    total = sum(row.c * row.b if row.g == "u" else row.c for _, row in frame.iterrows())
    total += frame.apply(lambda r: r.c * r.b * x[1], axis=1).pow(2).sum()
    total += (N * x[0]).apply(lambda c: c.sum() ** 2).sum()
    total += sum(row.c * row.b for row in frame.itertuples(index=False)) + N.apply(lambda c: (c * x[0]).sum()).prod()
    total += N.sub(N.a * x[0], axis=0).pow(2).to_numpy().sum() + N.mul(N.a * x[0], axis="index").to_numpy().sum()
    return total + (T + 1).rdiv(x[0]).sum() + frame.pipe(lambda d: d.c * d.b).sum() + frame.loc[frame.b > 2, "c"].sum()


@case
def tables_made_of_series(x):
    """By label, not by position."""
    table = pd.DataFrame({"u": S * x[0], "v": OTHER * x[1]})
    rows = pd.DataFrame([{"u": x[0], "v": 1.0}, {"u": 2.0, "v": x[1]}])
    kept = computed(x).groupby("g").filter(lambda part: len(part) > 1).c.sum()
    assigned = N.copy()
    assigned["c"] = (OTHER * x[0]).set_axis([3, 1, 0, 2])
    total = (
        (table.prod(axis=1) * np.arange(4)).sum() + rows.prod().sum() + kept + (assigned.c * assigned.b).sum() * x[1]
    )
    return total + pd.Series(T * x[0], index=[5, 3, 1]).iloc[0] * x[1]


@case
def columns_that_are_assigned(x):
    """Whichever comes first, and over one that was there."""
    whole, frame = N * x[0], N.copy()
    whole["c"] = 1.5
    frame["c"] = N.a * x[1]
    frame["e"] = 2.0
    frame["a"] = N.a * x[0]
    total = whole.to_numpy().prod(axis=1).sum() + frame.to_numpy() @ np.array([1.0, 2, 3, 4]) @ np.arange(4)
    frame["c"] = 3.0
    return total + frame.to_numpy() @ np.array([1.0, 2, 3, 4]) @ np.arange(4) * x[1]


@pytest.mark.filterwarnings("ignore:DataFrameGroupBy.apply:DeprecationWarning")  # of pandas 2.2
@pytest.mark.parametrize("f", case, ids=lambda f: f.__name__)
@pytest.mark.sampled(3)
def test_value_gradient_and_product(f):
    with pd.option_context("compute.use_numexpr", False):  # which does not read NumPy's numbers in pandas 2.2
        check(f, rtol=1e-5, product=f in (by_size, groups, exponential_weights))


def loss(x, frame, other):
    c = (frame.a * x[0]).groupby(frame.g).transform("mean") * frame.b
    merged = frame.assign(c=c).merge(other, on="g")
    return (merged.c * merged.z).sum() * x[1] + (frame.set_index("b").a * x[0]).sort_index().to_numpy()[0] ** 2


def test_other_data():
    """Other rows, labels and orders are another place for each entry."""
    derived = autoopt.value_and_grad(loss)
    for frame in (FRAME, FRAME[:4], FRAME.assign(g=list("wwvuuv")), FRAME.assign(b=FRAME.b.to_numpy()[::-1])):
        value, gradient = derived(POINT, frame, GROUPS)
        np.testing.assert_allclose(value, loss(POINT, frame, GROUPS), rtol=1e-12)
        slope = differences.gradient(lambda x, frame=frame: loss(x, frame, GROUPS), POINT)[0]
        np.testing.assert_allclose(gradient, slope, rtol=1e-7)


def test_frames_outside_that_are_written_into():
    frame = FRAME.copy()
    f = lambda x: loss(x, frame, GROUPS)  # noqa: E731
    objective = autoopt.objective(f, POINT)
    for label, k, new in (("a", 0, 2.0), ("g", 1, "u"), ("b", 5, 0.5)):
        np.testing.assert_allclose(objective.value(POINT), f(POINT), rtol=1e-12)
        np.testing.assert_allclose(objective.grad(POINT), differences.gradient(f, POINT)[0], rtol=1e-7)
        frame.loc[k, label] = new
    np.testing.assert_allclose(objective.value(POINT), f(POINT), rtol=1e-12)


REFUSED = {
    "keys that depend on the parameters": lambda x: computed(x).merge(computed(x)[["c", "b"]], on="c").b_x.sum(),
    "interpolation": lambda x: (S * x[0]).reindex(list("abxcd")).interpolate().sum(),
    "description": lambda x: (T * x[0]).describe()["mean"],
    "in place": lambda x: (T * x[0]).sort_values(inplace=True),
    "deviations with weights": lambda x: (T * x[0]).ewm(alpha=0.3).std().sum(),
    "sorted by a function": lambda x: (T * x[0] + U * x[1]).sort_values(key=abs).iloc[0],
    "groups of windows": lambda x: computed(x).groupby("g")["c"].rolling(2).mean().sum(),
    "duplicates": lambda x: (T * x[0]).drop_duplicates().sum(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_rest_is_refused(name):
    with pytest.raises(UnsupportedFunctionError, match="of a pandas object") as caught:
        autoopt.grad(REFUSED[name])(POINT)
    assert caught.value.where[0].file == __file__ and ".to_numpy()" in caught.value.remedy
