import { Lexer, Parser } from "yaml";
import { refuse } from "../core/errors.ts";

const charactersMax = 1024 * 1024;
const tokensMax = 50_000;
const depthMax = 200;
const propertiesMax = 1000;
/** Announces in the token stream that the next token is the text of a scalar. */
const scalarAhead = "\x1f";

/**
 * Refuses text that would cost a YAML parser its stack, its memory or minutes of time, by one linear pass over its
 * tokens: long files, too many tokens (unique keys are checked pairwise), deep nesting (composing is recursive), and
 * piles of anchors, aliases and tags.
 */
export function checkYamlLimits(text: string, file: string): void {
  if (text.length > charactersMax)
    refuse({ file, expected: "a scenario of at most 1 MiB", found: `${text.length} characters` });
  const parser = new Parser();
  let tokens = 0;
  let properties = 0;
  let before = "";
  for (const token of new Lexer().lex(text)) {
    // Only the depth of the stack is of interest; the nodes themselves are composed later.
    for (const _ of parser.next(token));
    tokens += 1;
    if (before !== scalarAhead && /^[&*!]./.test(token)) properties += 1;
    before = token;
    const expected =
      tokens > tokensMax
        ? `a scenario of at most ${tokensMax} tokens`
        : parser.stack.length > depthMax
          ? "fewer levels of nesting"
          : properties > propertiesMax
            ? `at most ${propertiesMax} anchors, aliases and tags`
            : null;
    if (expected !== null) refuse({ file, line: text.slice(0, parser.offset).split("\n").length, expected });
  }
}
