import type { Risk } from '../types';

/** Files that a tool executes without being asked to (contract, "Skills and paths", and close relatives). */
export const SELF_EXECUTED: readonly string[] = `
.husky/** **/.husky/** .githooks/** .vscode/** **/.vscode/** .idea/** **/.idea/** .devcontainer/** **/.devcontainer/**
.envrc .gitattributes .yarnrc .yarnrc.yml .pnpmfile.cjs lefthook.yml lefthook.yaml .mise.toml mise.toml
.bashrc .bash_profile .bash_login .profile .zshrc .zshenv .zprofile **/.cargo/config.toml .cargo/config.toml
`
  .trim()
  .split(/\s+/);

/** A rule over one line of a file. Patterns are ours, run in linear time, and never come from a user. */
export interface LineRule {
  rule: string;
  level: Risk;
  pattern: RegExp;
}

export const LINE_RULES: readonly LineRule[] = [
  {
    rule: 'the workflow token may write everything',
    level: 'HIGH',
    pattern: /\bpermissions["']?\s{0,20}:\s{0,20}["']?write-all\b/,
  },
  {
    rule: 'identity and access (IAM)',
    level: 'HIGH',
    pattern:
      /["'](?:aws_iam_\w{1,80}|google_\w{0,80}iam_\w{1,80}|google_service_account\w{0,80}|azurerm_role_\w{1,80}|azuread_\w{1,80})["']|AWS::IAM::/,
  },
  {
    rule: 'role-based access (RBAC)',
    level: 'HIGH',
    pattern:
      /^[\s-]{0,50}["']?kind["']?\s{0,20}:\s{0,20}["']?(?:Cluster)?Role(?:Binding)?["']?\s{0,50}(?:#.*)?$|rbac\.authorization\.k8s\.io/,
  },
  {
    rule: 'network access',
    level: 'HIGH',
    pattern:
      /["'](?:aws_security_group\w{0,80}|google_compute_firewall|azurerm_network_security_\w{1,80})["']|AWS::EC2::SecurityGroup/,
  },
  {
    rule: 'a secret as a manifest',
    level: 'HIGH',
    pattern: /^[\s-]{0,50}["']?kind["']?\s{0,20}:\s{0,20}["']?Secret["']?\s{0,50}(?:#.*)?$/,
  },
  { rule: 'a private key', level: 'HIGH', pattern: /-----BEGIN [A-Z ]{0,40}PRIVATE KEY/ },
  {
    rule: 'a privileged container',
    level: 'HIGH',
    pattern:
      /\bprivileged["']?\s{0,20}:\s{0,20}["']?true\b|\s--privileged\b|\bhost(?:Network|PID|IPC)["']?\s{0,20}:\s{0,20}true\b/,
  },
  { rule: 'access to the Docker socket', level: 'HIGH', pattern: /\/(?:var\/)?run\/docker\.sock\b/ },
  { rule: 'passwordless root', level: 'HIGH', pattern: /\bNOPASSWD\b|\/etc\/sudoers\b/ },
  {
    rule: 'deletes a whole file system',
    level: 'HIGH',
    pattern: /\brm\s{1,10}-\w{0,10}r\w{0,10}\s{1,10}["']?\/["']?(?:\s|\*|$)/,
  },
];
