"""Views of every origin: writes through them, writes behind them; against the plain function."""

from __future__ import annotations

import pytest
import views_by_functions  # noqa: F401  (these fill the table)
import views_of_parts  # noqa: F401
import views_of_views  # noqa: F401
import views_written  # noqa: F401
from plainly import check
from views import case


@pytest.mark.filterwarnings("ignore:Setting the shape")
@pytest.mark.parametrize("f", case, ids=lambda f: f.__name__)
@pytest.mark.sampled(9)
def test_views_share_what_is_written(f) -> None:
    check(f, product=f in case[::10])
