# nix-build -E '(import <nixpkgs> {}).callPackage ./package.nix {}'
{
  lib,
  fetchurl,
  rustPlatform,
  installShellFiles,
}:

rustPlatform.buildRustPackage rec {
  pname = "daypass";
  version = "@VERSION@";

  src = fetchurl {
    url = "@DOWNLOAD@/daypass-${version}.tar.gz";
    hash = "@SRI_SOURCE@";
  };
  # All dependencies are of crates.io, with their checksums in the lock file.
  cargoLock.lockFile = ./Cargo.lock;

  nativeBuildInputs = [ installShellFiles ];

  # The other tests start shells, a D-Bus and SDKs.
  cargoTestFlags = [ "--lib" ];

  postInstall = ''
    installManPage packaging/man/*.1
    installShellCompletion --cmd daypass \
      --bash completions/daypass.bash \
      --zsh completions/_daypass \
      --fish completions/daypass.fish
  '';

  meta = {
    description = "Short-lived AWS role credentials for every tool on the machine";
    homepage = "@URL@";
    changelog = "@URL@/blob/v${version}/CHANGELOG.md";
    license = with lib.licenses; [
      mit
      asl20
    ];
    mainProgram = "daypass";
    platforms = lib.platforms.unix;
  };
}
