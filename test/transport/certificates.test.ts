import { assert, describe, it } from "@effect/vitest"
import { Network } from "../../src/LlmError.ts"

describe("a certificate that is not accepted", () => {
  it("is not worth another attempt, other network errors are", () => {
    const never = [
      "CERT_HAS_EXPIRED",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "CERT_UNTRUSTED",
      "HOSTNAME_MISMATCH",
      "INVALID_CA"
    ]
    for (const code of never) assert.isFalse(new Network({ message: "x", code }).isRetryable, code)
    for (const code of [undefined, "ECONNRESET", "ECONNREFUSED", "ENOTFOUND", "UND_ERR_SOCKET"]) {
      assert.isTrue(new Network({ message: "x", code }).isRetryable, code)
    }
  })
})
