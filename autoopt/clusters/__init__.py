"""More than one machine: executors that evaluate printed passes over rows where the rows are.

This room knows texts, names, arrays and chunks of rows, nothing of tapes or objectives. `executor.py` has the protocol
and the driver, `chunks.py` tables and tasks, `worker.py` all that a worker runs.
"""

from autoopt.clusters.addresses import opened, parse
from autoopt.clusters.chunks import Table
from autoopt.clusters.executor import Executor, evaluate
from autoopt.clusters.rows import Spread, spread

__all__ = ["Executor", "Spread", "Table", "evaluate", "opened", "parse", "spread"]
