"""MAPSSWE and McNemar beside sc_stats, and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest_rounds import Sctk, read_sgml, word_errors
