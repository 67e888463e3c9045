#!/usr/bin/env bash
# Installs the Debian packages that the given lists name, where they are not there yet. As root or with sudo.
set -euo pipefail
missing=()
while read -r package; do
  dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' || missing+=("$package")
done < <(sed 's/#.*//; /^[[:space:]]*$/d' "$@")
[ ${#missing[@]} -gt 0 ] || exit 0
# A program of that name that came another way serves as well.
for index in "${!missing[@]}"; do
  case ${missing[$index]} in
    nodejs) command -v node > /dev/null && unset "missing[$index]" ;;
    npm | cmake) command -v "${missing[$index]}" > /dev/null && unset "missing[$index]" ;;
    maven) command -v mvn > /dev/null && unset "missing[$index]" ;;
    openjdk-17-jdk-headless) command -v javac > /dev/null && unset "missing[$index]" ;;
  esac
done
[ ${#missing[@]} -gt 0 ] || exit 0
root=()
[ "$(id -u)" -eq 0 ] || root=(sudo)
export DEBIAN_FRONTEND=noninteractive
"${root[@]}" apt-get update -qq
"${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
