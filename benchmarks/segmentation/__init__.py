"""How well intervals are found: sessions with known truth, rowsync and its peers on the same bytes, one scorer."""
