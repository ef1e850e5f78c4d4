"""Why a problem is infeasible: rules that cannot all be kept, and what would help.

``placement`` explains placement problems by their own rules, ``linear`` linear models by their
rows. Both use the search in ``conflict``, which knows rules by number only.
"""
