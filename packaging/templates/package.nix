# nix-build -E '(import <nixpkgs> {}).callPackage ./package.nix {}'
{
  lib,
  stdenvNoCC,
  fetchurl,
  installShellFiles,
}:

let
  archives = {
    x86_64-linux = [
      "x86_64-unknown-linux-musl"
      "@SRI:x86_64-unknown-linux-musl.tar.gz@"
    ];
    aarch64-linux = [
      "aarch64-unknown-linux-musl"
      "@SRI:aarch64-unknown-linux-musl.tar.gz@"
    ];
    x86_64-darwin = [
      "x86_64-apple-darwin"
      "@SRI:x86_64-apple-darwin.tar.gz@"
    ];
    aarch64-darwin = [
      "aarch64-apple-darwin"
      "@SRI:aarch64-apple-darwin.tar.gz@"
    ];
  };
  system = stdenvNoCC.hostPlatform.system;
  archive = archives.${system} or (throw "daypass: no archive for ${system}");
in
stdenvNoCC.mkDerivation (final: {
  pname = "daypass";
  version = "@VERSION@";

  src = fetchurl {
    url = "@DOWNLOAD@/daypass-${final.version}-${builtins.elemAt archive 0}.tar.gz";
    hash = builtins.elemAt archive 1;
  };

  nativeBuildInputs = [ installShellFiles ];
  # On Linux the program is static and contains no store paths.
  dontFixup = true;

  installPhase = ''
    runHook preInstall
    install -D -m 755 -t "$out/bin" bin/daypass
    installManPage share/man/man1/*.1
    installShellCompletion --cmd daypass \
      --bash share/bash-completion/completions/daypass \
      --zsh share/zsh/site-functions/_daypass \
      --fish share/fish/vendor_completions.d/daypass.fish
    install -D -m 644 -t "$out/share/doc/daypass" share/doc/daypass/{README.md,LICENSE-MIT,LICENSE-APACHE,THIRD-PARTY.txt}
    runHook postInstall
  '';

  meta = {
    description = "Short-lived AWS role credentials for every tool on the machine";
    homepage = "@URL@";
    changelog = "@URL@/blob/v${final.version}/CHANGELOG.md";
    license = with lib.licenses; [
      mit
      asl20
    ];
    sourceProvenance = [ lib.sourceTypes.binaryNativeCode ];
    mainProgram = "daypass";
    platforms = builtins.attrNames archives;
  };
})
