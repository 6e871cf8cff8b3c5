import { z } from "zod";
import type { Parameters } from "../core/parameters.ts";

/** A kind of a table: its rule and the keys of its own. */
interface Kind {
  readonly rule: string;
  readonly parameters: Parameters;
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
    const { parameters, rule } = table[kind];
    // The type of the whole has the shared keys alone: only the kind's own file knows its parameters.
    const shape: { kind: z.ZodLiteral<Name> } & Shared = { kind: z.literal(kind), ...parameters, ...shared };
    return z.strictObject(shape).describe(rule);
  };
  type Option = ReturnType<typeof option>;
  return z.discriminatedUnion("kind", names.map(option) as [Option, ...Option[]], {
    error: ({ code, input }) =>
      code === "invalid_union" ? hint((input as { readonly kind?: unknown }).kind) : undefined,
  });
}
