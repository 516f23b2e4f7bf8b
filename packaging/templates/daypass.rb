class Daypass < Formula
  desc "Short-lived AWS role credentials for every tool on the machine"
  homepage "@URL@"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "@DOWNLOAD@/daypass-@VERSION@-aarch64-apple-darwin.tar.gz"
      sha256 "@SHA256:aarch64-apple-darwin.tar.gz@"
    end
    on_intel do
      url "@DOWNLOAD@/daypass-@VERSION@-x86_64-apple-darwin.tar.gz"
      sha256 "@SHA256:x86_64-apple-darwin.tar.gz@"
    end
  end
  on_linux do
    on_arm do
      url "@DOWNLOAD@/daypass-@VERSION@-aarch64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256:aarch64-unknown-linux-musl.tar.gz@"
    end
    on_intel do
      url "@DOWNLOAD@/daypass-@VERSION@-x86_64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256:x86_64-unknown-linux-musl.tar.gz@"
    end
  end

  def install
    bin.install "bin/daypass"
    man1.install Dir["share/man/man1/*.1"]
    bash_completion.install "share/bash-completion/completions/daypass"
    zsh_completion.install "share/zsh/site-functions/_daypass"
    fish_completion.install "share/fish/vendor_completions.d/daypass.fish"
    doc.install Dir["share/doc/daypass/*"]
  end

  test do
    ENV["AWS_CONFIG_FILE"] = testpath/"config"
    ENV["DAYPASS_KEYRING"] = "file"
    system bin/"daypass", "configure", "--session", "corp", "--start-url", "https://corp.awsapps.com/start",
           "--sso-region", "us-east-1", "--account", "111122223333", "--role", "DeveloperAccess", "--profile", "dev"
    assert_match "credential-process --session corp", (testpath/"config").read
    # Not signed in: status 3, and the command that signs in.
    assert_match "hint: daypass login corp", shell_output("#{bin}/daypass credential-process --profile dev 2>&1", 3)
  end
end
