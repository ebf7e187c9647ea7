"""Parts of analytic functions of scipy.special, as real functions of real arguments."""

from __future__ import annotations

from autoopt.ops.analytic import faddeeva_imaginary, faddeeva_real, lambert_imaginary, lambert_real
from autoopt.ops.operands import real, tensor
from autoopt.rules.table import rule
from autoopt.tape import operations

for _function, _operation in {
    operations.faddeeva_real: faddeeva_real,
    operations.faddeeva_imaginary: faddeeva_imaginary,
}.items():
    rule(_function)(lambda x, y, _operation=_operation: _operation(real(x), real(y)))
for _function, _operation in {
    operations.lambert_real: lambert_real,
    operations.lambert_imaginary: lambert_imaginary,
}.items():
    rule(_function)(lambda x, y, k, _operation=_operation: _operation(real(x), real(y), tensor(k)))
