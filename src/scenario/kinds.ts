import { z } from "zod";
import type { Contradiction, Parameters, ParameterValues } from "../core/parameters.ts";

/** A kind of a table: its rule and the keys of its own. */
interface Kind {
  readonly rule: string;
  readonly parameters: Parameters;
  contradiction?(values: ParameterValues<Parameters>): Contradiction | null;
}

/**
 * A mapping whose `kind` is a name of a table, with the parameters of that kind and the keys that all kinds have.
 * `hint` may say why a word is not one of the kinds.
 */
export function kindsOf<Name extends string, Shared extends z.ZodRawShape>(
  table: Readonly<Record<Name, Kind>>,
  names: readonly Name[],
  shared: Shared,
  hint: (kind: unknown) => string | undefined = () => undefined,
) {
  const option = (kind: Name) => {
    const member = table[kind];
    const { parameters, rule } = member;
    // The type of the whole has the shared keys alone: only the kind's own file knows its parameters.
    const shape: { kind: z.ZodLiteral<Name> } & Shared = { kind: z.literal(kind), ...parameters, ...shared };
    return z
      .strictObject(shape)
      .superRefine((values, context) => {
        const found = member.contradiction?.(values) ?? null;
        if (found !== null) context.addIssue({ code: "custom", path: [found.key], message: found.expected });
      })
      .describe(rule);
  };
  type Option = ReturnType<typeof option>;
  return z.discriminatedUnion("kind", names.map(option) as [Option, ...Option[]], {
    error: ({ code, input }) =>
      code === "invalid_union" ? hint((input as { readonly kind?: unknown }).kind) : undefined,
  });
}
