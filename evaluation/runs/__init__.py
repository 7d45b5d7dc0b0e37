"""Benchmark runs: collections x classifiers x findings x methods x scores, from one plan, on one machine or a cluster.

A ``plan.Plan`` says what to run, ``engine.run`` runs it film by film and can be stopped and started again, a
``store.Store`` keeps one row a score, ``report`` and ``diff`` read it.
"""
