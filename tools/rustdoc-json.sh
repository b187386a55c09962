#!/bin/sh
# rustdoc with its unstable options, such as the output as JSON, on a stable toolchain. Set for rustdoc alone: the scripts
# of many crates look at this variable, and everything would be built again.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
