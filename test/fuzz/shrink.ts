// Makes the body of a case smaller while what is wrong with it stays wrong.
import { type AnswerCase, bodyOf } from "./answers.ts"

const withBody = (given: AnswerCase, body: Uint8Array): AnswerCase => ({
  ...given,
  answer: { ...given.answer, chunks: [body] }
})

/** `fails` says whether a case still shows the fault. At most so many tries. */
export const shrunk = async (
  given: AnswerCase,
  fails: (given: AnswerCase) => Promise<boolean>,
  tries = 300
): Promise<AnswerCase> => {
  let best = given
  let tried = 0
  const over = () => tried >= tries
  const attempt = async (candidate: AnswerCase): Promise<boolean> => {
    if (over() || (tried++, !await fails(candidate))) return false
    best = candidate
    return true
  }
  await attempt({ ...best, policies: 0 })
  await attempt({ ...best, answer: { ...best.answer, headers: [] } })
  await attempt({ ...best, answer: { ...best.answer, ending: "close" } })
  // What was lost is found again by cutting out of the middle; such a case keeps its body.
  if (given.lost || !await attempt(withBody(best, bodyOf(best.answer)))) return best
  for (let size = Math.ceil(bodyOf(best.answer).length / 2); size >= 1 && !over(); size = Math.floor(size / 2)) {
    for (let at = 0; at < bodyOf(best.answer).length && !over();) {
      const body = bodyOf(best.answer)
      const smaller = new Uint8Array([...body.slice(0, at), ...body.slice(at + size)])
      if (!await attempt(withBody(best, smaller))) at += size
    }
  }
  return best
}
