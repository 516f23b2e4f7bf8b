# NAME PROFILE loads its credentials into this shell, NAME lets you pick a role, NAME - clears them.
function NAME --description 'Set AWS credentials in this shell, or clear them with -'
    if contains -- -h $argv; or contains -- --help $argv
        command daypass env --help
        return
    end
    if test (count $argv) -eq 0
        set argv --pick
    else if test "$argv[1]" = -
        set argv --unset
    end
    set -l script (command daypass env --shell fish $argv)
    or return
    printf '%s\n' $script | source
end
complete --keep-order --exclusive --command NAME --arguments "(DAYPASS_COMPLETE=fish daypass -- daypass env (commandline --current-process --tokenize --cut-at-cursor)[2..-1] (commandline --current-token))"
