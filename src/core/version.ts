/** Version of moecast; results name it, and it equals the one in package.json. */
export const version = "0.1.0";
