"""Bad input and broken machines, against the real stack."""
