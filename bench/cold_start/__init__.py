"""Measures the release build of the functions: size, start, first and warm request, memory."""
