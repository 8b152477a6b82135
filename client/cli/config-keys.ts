/** The settings that `config get` and `config set` know. */
export const CONFIG_KEYS = ['provider', 'model', 'temperature', 'baseUrl'] as const;
export type ConfigKey = (typeof CONFIG_KEYS)[number];
