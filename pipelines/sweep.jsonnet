// One datum, and one W&B run, for each file in the repo `params`.
//   pachctl update pipeline --jsonnet pipelines/sweep.jsonnet --arg parallelism=8
function(image='host:0.1.0', parallelism='4', timeout='1800s') {
  pipeline: { name: 'sweep' },
  description: 'Trains once for each parameter file; the runs form one W&B group',
  input: {
    cross: [
      { pfs: { repo: 'mnist', branch: 'master', glob: '/' } },
      { pfs: { repo: 'params', branch: 'master', glob: '/*' } },
    ],
  },
  transform: {
    image: image,
    cmd: ['host', 'scripts/sweep.lua'],
    working_dir: '/opt/host',
    secrets: [{ name: 'wandb', key: 'key', env_var: 'WANDB_API_KEY' }],
  },
  parallelism_spec: { constant: std.parseInt(parallelism) },
  // Results are kept per datum set: a lost worker then costs one trial, not several.
  datum_set_spec: { number: 1 },
  datum_tries: 2,
  datum_timeout: timeout,
  resource_requests: { cpu: 1, memory: '512Mi', disk: '1Gi' },
}
