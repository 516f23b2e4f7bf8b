complete --keep-order --exclusive --command daypass --arguments "(DAYPASS_COMPLETE=fish daypass -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
