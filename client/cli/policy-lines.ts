/** The lines of `.planwright/policy.yaml` that name somebody with a key. A JSON string is a YAML string as well. */
export function policyLines(name: string, publicKey: string): string {
  return `approvers:\n  - name: ${JSON.stringify(name)}\n    key: ${JSON.stringify(publicKey)}\n`;
}
