/** Parameters that are set, for a name. */
export const inWords = (values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values)
    .map(([key, value]) => ` ${key} ${String(value)}`)
    .join("");
