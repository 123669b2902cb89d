// SPDX-License-Identifier: Apache-2.0
// What every browser has, and node 18 has under another name only.
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto as Crypto;
