"""What people usually build for this, and the bare calls: each a program of its own."""
