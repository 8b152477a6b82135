/** Functions of Terraform 1.15 and OpenTofu 1.11; a provider's own are called with `provider::`. */
export const FUNCTIONS: ReadonlySet<string> = new Set(
  `abs abspath alltrue anytrue base64decode base64encode base64gunzip base64gzip base64sha256 base64sha512 basename bcrypt can ceil chomp chunklist
  cidrcontains cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce coalescelist compact concat contains convert csvdecode deprecate dirname distinct element
  endswith ephemeralasnull file filebase64 filebase64sha256 filebase64sha512 fileexists filemd5 fileset filesha1 filesha256 filesha512
  flatten floor format formatdate formatlist indent index issensitive join jsondecode jsonencode keys length list log lookup lower map
  matchkeys max md5 merge min nonsensitive one parseint pathexpand plantimestamp pow range regex regexall replace reverse rsadecrypt
  sensitive setintersection setproduct setsubtract setunion sha1 sha256 sha512 signum slice sort split startswith strcontains strrev substr sum
  templatefile templatestring textdecodebase64 textencodebase64 timeadd timecmp timestamp title tobool tolist tomap tonumber toset tostring
  transpose trim trimprefix trimspace trimsuffix try type upper urldecode urlencode uuid uuidv5 values yamldecode yamlencode zipmap
  object tuple set optional any string number bool base64gunzip`
    .trim()
    .split(/\s+/),
);

/** Blocks at the top of a Terraform file: how many labels each takes, and which names may stand in it where that is closed. */
export const TOP_BLOCKS: Readonly<
  Record<string, { labels: number; attributes?: readonly string[]; required?: readonly string[] }>
> = {
  terraform: { labels: 0 },
  resource: { labels: 2 },
  data: { labels: 2 },
  ephemeral: { labels: 2 },
  action: { labels: 2 },
  list: { labels: 2 },
  provider: { labels: 1 },
  module: { labels: 1, required: ['source'] },
  variable: {
    labels: 1,
    attributes: ['type', 'default', 'description', 'sensitive', 'nullable', 'ephemeral', 'deprecated', 'const'],
  },
  output: {
    labels: 1,
    attributes: ['value', 'description', 'sensitive', 'depends_on', 'ephemeral', 'deprecated', 'type'],
    required: ['value'],
  },
  locals: { labels: 0 },
  moved: { labels: 0, attributes: ['from', 'to'], required: ['from', 'to'] },
  removed: { labels: 0, required: ['from'] },
  import: { labels: 0, attributes: ['to', 'id', 'identity', 'provider', 'for_each'], required: ['to'] },
  check: { labels: 1 },
  language: { labels: 0 },
};
