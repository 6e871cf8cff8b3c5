import { autocomplete, cancel, intro, isCancel, outro, select, text } from "@clack/prompts";

/** One of several answers. */
export interface Option<Value extends string = string> {
  readonly value: Value;
  readonly label: string;
  readonly hint?: string;
}

/** Questions on a terminal. Each answer is null where the person leaves (Ctrl-C, Esc). */
export interface Prompts {
  begin(title: string): void;
  end(text: string): void;
  left(text: string): void;
  choose<Value extends string>(
    message: string,
    options: readonly Option<Value>[],
    initial: Value,
  ): Promise<Value | null>;
  /** The same for long lists: what is typed narrows them. */
  find(message: string, options: readonly Option[], initial: string): Promise<string | null>;
  /** A line of text; `check` says what is wrong with it. */
  ask(
    message: string,
    options: {
      readonly initial?: string;
      readonly placeholder?: string;
      readonly check: (text: string) => string | null;
    },
  ): Promise<string | null>;
}

/** Lines of a long list that are seen at a time. */
const seen = 8;

/** Whether every word that is typed stands somewhere in an option. */
function matches(typed: string, { value, label, hint = "" }: Option): boolean {
  const where = `${value} ${label} ${hint}`.toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => where.includes(word));
}

/** Questions of @clack/prompts, on stderr: stdout carries results. */
export function terminalPrompts(): Prompts {
  const to = { output: process.stderr };
  const answer = (given: string | symbol): string | null =>
    isCancel(given) || typeof given === "symbol" ? null : given;
  return {
    begin: (title) => intro(title, to),
    end: (last) => outro(last, to),
    left: (last) => cancel(last, to),
    choose: async (message, options, initialValue) =>
      answer(
        await select<string>({ ...to, message, options: options.map((one) => ({ ...one })), initialValue }),
      ) as never,
    find: async (message, options, initialValue) =>
      answer(
        await autocomplete<string>({
          ...to,
          message,
          options: options.map((one) => ({ ...one })),
          initialValue,
          maxItems: seen,
          placeholder: "type to search",
          filter: (typed, option) =>
            matches(typed, { value: option.value, label: option.label ?? "", hint: option.hint ?? "" }),
        }),
      ),
    ask: async (message, { initial, placeholder, check }) =>
      answer(
        await text({
          ...to,
          message,
          ...(initial === undefined ? {} : { initialValue: initial }),
          ...(placeholder === undefined ? {} : { placeholder }),
          validate: (typed) => check(typed ?? "") ?? undefined,
        }),
      ),
  };
}
