const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const COMMON = `any_errors_fatal become become_exe become_flags become_method become_user check_mode collections connection debugger diff environment ignore_errors
  ignore_unreachable module_defaults name no_log port remote_user run_once tags throttle timeout vars`;

/** Keywords of plays, blocks and tasks, as Ansible's documentation lists them. */
export const PLAY =
  words(`${COMMON} fact_path force_handlers gather_facts gather_subset gather_timeout handlers hosts max_fail_percentage order post_tasks pre_tasks roles serial
  strategy tasks vars_files vars_prompt user sudo`);
export const BLOCK = words(`${COMMON} always block delegate_facts delegate_to notify rescue when`);
export const TASK =
  words(`${COMMON} action args async attempts changed_when delay delegate_facts delegate_to failed_when listen local_action loop loop_control notify
  poll register retries until when vars_files first_available_file`);

/** Modules of ansible.builtin and short names that are in wide use; another one is not wrong. */
export const MODULES =
  words(`add_host apt apt_key apt_repository assemble assert async_status blockinfile command copy cron deb822_repository debconf debug dnf dnf5 dpkg_selections
  expect fail fetch file find gather_facts get_url getent git group group_by hostname import_playbook import_role import_tasks include_role include_tasks include include_vars
  iptables known_hosts lineinfile meta mount_facts package package_facts pause ping pip raw reboot replace rpm_key script service service_facts set_fact set_stats setup shell slurp
  stat subversion systemd systemd_service sysvinit tempfile template unarchive uri user validate_argument_spec wait_for wait_for_connection yum yum_repository
  synchronize ufw firewalld sysctl mount authorized_key seboolean selinux npm docker_container docker_image docker_network docker_compose docker_compose_v2 postgresql_db postgresql_user mysql_db
  mysql_user timezone locale_gen modprobe pam_limits archive openssl_certificate openssl_privatekey openssl_csr htpasswd alternatives gem make snap homebrew redis k8s helm ec2
  ini_file xml json_query acl at cloudformation s3_bucket win_command win_shell win_copy win_file win_service win_feature win_package win_reboot`);

/** Parameters of modules that take no others. */
export const PARAMETERS: Readonly<Record<string, ReadonlySet<string>>> = {
  apt: words(`allow_change_held_packages allow_downgrade allow_downgrades allow_unauthenticated auto_install_module_deps autoclean autoremove cache_valid_time clean deb default_release dpkg_options fail_on_autoremove
    force force_apt_get install_recommends lock_timeout name only_upgrade package pkg policy_rc_d purge state update_cache update-cache update_cache_retries update_cache_retry_max_delay upgrade default-release install-recommends
    allow-downgrade allow-downgrades allow-unauthenticated`),
  copy: words(
    `attributes attr backup checksum content decrypt dest directory_mode follow force group local_follow mode owner remote_src selevel serole setype seuser src unsafe_writes validate`,
  ),
  template:
    words(`attributes attr backup block_end_string block_start_string comment_end_string comment_start_string dest follow force group lstrip_blocks mode newline_sequence output_encoding owner selevel serole
    setype seuser src trim_blocks unsafe_writes validate variable_end_string variable_start_string`),
  file: words(`access_time access_time_format attributes attr dest follow force group mode modification_time modification_time_format name owner path recurse selevel serole setype seuser src state
    unsafe_writes`),
  service: words(
    'arguments args daemon_reexec daemon_reload enabled masked name pattern runlevel scope sleep state use',
  ),
  systemd: words(
    'daemon_reexec daemon_reload daemon-reload daemon-reexec enabled force masked name no_block scope service state unit',
  ),
  systemd_service: words(
    'daemon_reexec daemon_reload daemon-reload daemon-reexec enabled force masked name no_block scope service state unit',
  ),
  user: words(`append authorization comment create_home createhome expires force generate_ssh_key group groups hidden home local login_class move_home name non_unique password password_expire_account_disable
    password_expire_max password_expire_min password_expire_warn password_lock profile remove role seuser shell skeleton ssh_key_bits ssh_key_comment ssh_key_file ssh_key_passphrase ssh_key_type
    state system uid uid_max uid_min umask update_password user`),
  group: words('force gid gid_max gid_min local name non_unique state system'),
  get_url:
    words(`attributes attr backup checksum ciphers client_cert client_key decompress dest force force_basic_auth group headers http_agent mode owner selevel serole setype seuser timeout tmp_dest
    unredirected_headers unsafe_writes url url_password url_username use_gssapi use_netrc use_proxy validate_certs username password thirsty`),
  lineinfile:
    words(`attributes attr backrefs backup create dest destfile encoding firstmatch group insertafter insertbefore line mode name owner path regex regexp search_string selevel serole setype seuser
    state unsafe_writes validate value others`),
  git: words(`accept_hostkey accept_newhostkey archive archive_prefix bare clone depth dest executable force gpg_allowlist gpg_whitelist key_file name recursive reference refspec remote repo
    separate_git_dir single_branch ssh_opts track_submodules umask update verify_commit version`),
  pip: words(
    'break_system_packages chdir editable executable extra_args name requirements state umask version virtualenv virtualenv_command virtualenv_python virtualenv_site_packages',
  ),
};

/** What some modules cannot do without: one of each list. */
export const REQUIRED: Readonly<Record<string, readonly (readonly string[])[]>> = {
  copy: [['dest'], ['src', 'content']],
  template: [['src'], ['dest']],
  file: [['path', 'dest', 'name']],
  get_url: [['url'], ['dest']],
  git: [
    ['repo', 'name'],
    ['dest', 'clone'],
  ],
  user: [['name', 'user']],
  group: [['name']],
  package: [['name'], ['state']],
};

const service = words('started stopped restarted reloaded');
/** Values of `state`. */
export const STATES: Readonly<Record<string, ReadonlySet<string>>> = {
  apt: words('absent build-dep fixed latest present installed removed'),
  file: words('absent directory file hard link touch'),
  service,
  systemd: service,
  systemd_service: service,
  user: words('absent present'),
  group: words('absent present'),
  lineinfile: words('absent present'),
  pip: words('absent forcereinstall latest present'),
};
