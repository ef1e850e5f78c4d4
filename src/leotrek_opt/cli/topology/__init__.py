"""``leotrek topology``: what a constellation is like, who sees whom, and the ways through it."""

COMMANDS = {
    "describe": "leotrek_opt.cli.topology.describe",
    "windows": "leotrek_opt.cli.topology.windows",
    "routes": "leotrek_opt.cli.topology.routes",
    "export": "leotrek_opt.cli.topology.export",
    "picture": "leotrek_opt.cli.topology.picture",
    "presets": "leotrek_opt.cli.topology.presets",
}
"""Name to the module that holds it as `command`, in the order of the help text."""
