/** A field of a Thrift struct: its number, its wire type and its value. */
type Field = readonly [id: number, type: keyof typeof wireTypes, value: unknown];

const wireTypes = { int: 5, long: 6, text: 8, list: 9, struct: 12 } as const;

/** Physical types of Parquet that kernel tables use. */
const physical = { long: 2, double: 5, text: 6 } as const;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function valueBytes(type: keyof typeof wireTypes, value: unknown): number[] {
  switch (type) {
    case "int":
    case "long":
      return varint(2 * (value as number));
    case "text": {
      const bytes = [...new TextEncoder().encode(value as string)];
      return [...varint(bytes.length), ...bytes];
    }
    case "list": {
      const [of, items] = value as [keyof typeof wireTypes, unknown[]];
      const head =
        items.length < 15 ? [items.length * 16 + wireTypes[of]] : [240 + wireTypes[of], ...varint(items.length)];
      return [...head, ...items.flatMap((item) => valueBytes(of, item))];
    }
    case "struct":
      return structBytes(value as Field[]);
  }
}

/** Thrift's compact protocol: fields in order of their numbers, which are written as differences. */
function structBytes(fields: readonly Field[]): number[] {
  let last = 0;
  const bytes = fields.flatMap(([id, type, value]) => {
    const head = (id - last) * 16 + wireTypes[type];
    last = id;
    return [head, ...valueBytes(type, value)];
  });
  return [...bytes, 0];
}

type Column = readonly (string | number)[];

function typeOf(values: Column): keyof typeof physical {
  if (typeof values[0] === "string") return "text";
  return values.every(Number.isInteger) ? "long" : "double";
}

function plainBytes(values: Column): number[] {
  const type = typeOf(values);
  return values.flatMap((value) => {
    if (type === "text") {
      const bytes = [...new TextEncoder().encode(value as string)];
      return [...new Uint8Array(Uint32Array.of(bytes.length).buffer), ...bytes];
    }
    const numbers = type === "long" ? BigInt64Array.of(BigInt(value)) : Float64Array.of(value as number);
    return [...new Uint8Array(numbers.buffer)];
  });
}

/** A Parquet file of one uncompressed row group with required columns in plain encoding, for tests of the reader. */
export function parquetBytes(columns: Readonly<Record<string, Column>>): Uint8Array {
  const out = [...new TextEncoder().encode("PAR1")];
  const rows = Object.values(columns)[0]?.length ?? 0;
  const chunks = Object.entries(columns).map(([name, values]): Field[] => {
    const data = plainBytes(values);
    const header = structBytes([
      [1, "int", 0],
      [2, "int", data.length],
      [3, "int", data.length],
      [
        5,
        "struct",
        [
          [1, "int", values.length],
          [2, "int", 0],
          [3, "int", 3],
          [4, "int", 3],
        ],
      ],
    ]);
    const offset = out.length;
    out.push(...header, ...data);
    const size = header.length + data.length;
    return [
      [2, "long", offset],
      [
        3,
        "struct",
        [
          [1, "int", physical[typeOf(values)]],
          [2, "list", ["int", [0]]],
          [3, "list", ["text", [name]]],
          [4, "int", 0],
          [5, "long", values.length],
          [6, "long", size],
          [7, "long", size],
          [9, "long", offset],
        ],
      ],
    ];
  });
  const schema: Field[][] = [
    [
      [4, "text", "schema"],
      [5, "int", chunks.length],
    ],
    ...Object.entries(columns).map(([name, values]): Field[] => [
      [1, "int", physical[typeOf(values)]],
      [3, "int", 0],
      [4, "text", name],
      ...(typeOf(values) === "text" ? ([[6, "int", 0]] as Field[]) : []),
    ]),
  ];
  const footer = structBytes([
    [1, "int", 1],
    [2, "list", ["struct", schema]],
    [3, "long", rows],
    [
      4,
      "list",
      [
        "struct",
        [
          [
            [1, "list", ["struct", chunks]],
            [2, "long", out.length],
            [3, "long", rows],
          ],
        ],
      ],
    ],
  ]);
  const length = new Uint8Array(Uint32Array.of(footer.length).buffer);
  return Uint8Array.from([...out, ...footer, ...length, ...new TextEncoder().encode("PAR1")]);
}
