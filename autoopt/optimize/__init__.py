"""SciPy's front door beside `minimize`: each function with derived derivatives, and the verdict of `solvers`."""
