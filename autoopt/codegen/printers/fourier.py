"""Fourier transforms, by NumPy's on complex numbers."""

from __future__ import annotations

from pytensor.graph.basic import Apply

from autoopt.codegen.code import Code
from autoopt.codegen.printers.table import prints
from autoopt.codegen.printers.writer import Writer
from autoopt.ops.fourier import Fourier


@prints(Fourier, stem="spectrum")
def fourier(writer: Writer, node: Apply, x: Code) -> Code:
    x = writer.named(node.inputs[0])
    transform = "np.fft.ifft" if node.op.inverse else "np.fft.fft"
    norm = ", norm='forward'" if node.op.inverse else ""
    spectrum = writer.fresh("spectrum")
    writer.write(f"{spectrum} = {transform}({x}[..., 0, :] + 1j * {x}[..., 1, :]{norm})")
    return Code(f"np.stack([{spectrum}.real, {spectrum}.imag], axis=-2)")
