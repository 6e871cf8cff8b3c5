import { z } from "zod";

/** A whole number of at least `min`. */
export const count = (min = 1, max = 1e9) => z.int().min(min).max(max);

/** A path, relative to the scenario file; `${NAME}` stands for a parameter. */
export const filePath = () => z.string().min(1).max(4096);

/** A short name without control characters; names appear in reports. */
export const word = () =>
  z
    .string()
    .min(1)
    .max(200)
    // The pattern goes into the JSON Schema, and validators differ on escapes of Unicode classes.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
    .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, { error: "text without control characters" });

/** A check that one of the keys is given, and one only. */
export const exactlyOne =
  (...keys: readonly string[]) =>
  (value: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void => {
    if (keys.filter((key) => value[key] !== undefined).length !== 1)
      context.addIssue({ code: "custom", message: `either ${keys.slice(0, -1).join(", ")} or ${keys.at(-1)}` });
  };
