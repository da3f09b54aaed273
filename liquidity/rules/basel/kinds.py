"""What the formulas take: a number or an array of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

Numbers = ArrayLike | np.ndarray
