"""Benchmarks: cases by size, routes from algebra to solver, each measurement in a process of its own."""
