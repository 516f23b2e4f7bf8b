# nix-build -E '(import <nixpkgs> {}).callPackage ./package.nix {}'
{
  lib,
  stdenv,
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

  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    $out/bin/daypass man > daypass.1
    installManPage daypass.1
    installShellCompletion --cmd daypass \
      --bash <($out/bin/daypass completions bash) \
      --zsh <($out/bin/daypass completions zsh) \
      --fish <($out/bin/daypass completions fish)
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
