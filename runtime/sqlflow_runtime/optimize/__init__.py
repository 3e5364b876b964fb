"""`TO MAXIMIZE` and `TO MINIMIZE`: a linear program from a query's rows, solved by HiGHS.

Each module is imported when the first such statement runs.
"""
