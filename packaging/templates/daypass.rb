class Daypass < Formula
  desc "Short-lived AWS role credentials for every tool on the machine"
  homepage "@URL@"
  url "@DOWNLOAD@/daypass-@VERSION@.tar.gz"
  sha256 "@SHA256_SOURCE@"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args
    man1.install Dir["packaging/man/*.1"]
    bash_completion.install "completions/daypass.bash" => "daypass"
    zsh_completion.install "completions/_daypass"
    fish_completion.install "completions/daypass.fish"
    doc.install "CHANGELOG.md", "SECURITY.md"
  end

  test do
    ENV["AWS_CONFIG_FILE"] = testpath/"config"
    ENV["DAYPASS_KEYRING"] = "file"
    system bin/"daypass", "configure", "--session", "corp", "--start-url", "https://corp.awsapps.com/start",
           "--sso-region", "us-east-1", "--account", "111122223333", "--role", "DeveloperAccess", "--profile", "dev"
    assert_match "credential-process --session corp", (testpath/"config").read
    # Nobody has signed in: status 3, and the command that does.
    assert_match "hint: daypass login corp", shell_output("#{bin}/daypass credential-process --profile dev 2>&1", 3)
  end
end
