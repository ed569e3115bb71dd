"""What balancing does on a bad day, in virtual time: `scripts/simulate`."""
