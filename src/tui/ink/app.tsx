import { Text, useInput } from "ink";
import { keyName } from "../keys/key-name.ts";

/** Who hears of keys, by their names, and of text that came at once. */
export interface KeyListener {
  readonly pressed: (key: string) => void;
  readonly text: (text: string) => void;
}

/** Reads keys. What they mean is for others to know: a handler that changed from key to key would miss some. */
export function App({ listener }: { readonly listener: KeyListener }) {
  useInput((input, key) => {
    const name = keyName(input, key);
    if (name !== null) listener.pressed(name);
    else if (input !== "") listener.text(input);
  });
  return <Text> </Text>;
}
