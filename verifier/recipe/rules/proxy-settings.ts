import { against, assigned, type Rule } from '../rule.ts'

export const proxySettings: Rule = {
  id: 'proxy-settings',
  severity: 'refuse',
  text: "The builder's proxy is its only way out and records what is fetched. Hosts that bypass it cannot be reached, and certificates for it would be the recipe's.",
  remedy: 'Remove the settings of the proxy.',
  *check(config) {
    for (const assignment of assigned(config, 'ProxyExclude'))
      if (assignment.value !== '') yield against(assignment, 'hosts are to be reached around the proxy')
    for (const assignment of assigned(config, 'ProxyPeerCertificate', 'ProxyClientCertificate', 'ProxyClientKey'))
      if (assignment.value !== '') yield against(assignment, "the recipe has certificates for the builder's proxy")
  },
}
