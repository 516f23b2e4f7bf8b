# NAME PROFILE makes this shell use it, NAME lets you pick a role, NAME - clears it.
function NAME --description 'Use an AWS profile in this shell, or clear it with -'
    if contains -- -h $argv; or contains -- --help $argv
        command daypass env --help
        return
    end
    set -l script (command daypass env --dp --shell fish $argv)
    or return
    printf '%s\n' $script | source
end
complete --keep-order --exclusive --command NAME --arguments "(DAYPASS_COMPLETE=fish daypass -- daypass env (commandline --current-process --tokenize --cut-at-cursor)[2..-1] (commandline --current-token))"
