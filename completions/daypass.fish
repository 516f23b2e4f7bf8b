complete --keep-order --exclusive --command daypass --arguments "(DAYPASS_COMPLETE=fish daypass -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
function __daypass_command
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l typed (commandline --current-token --cut-at-cursor)
    set -l at (DAYPASS_COMPLETE=command daypass -- $words "$typed" 2>/dev/null)
    test -n "$at"; and complete --do-complete (string join ' ' -- (string escape -- $words[(math $at + 1)..-1]) "$typed")
end
complete --exclusive --command daypass --condition '__fish_seen_subcommand_from exec' --arguments '(__daypass_command)'
