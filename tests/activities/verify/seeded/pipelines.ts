import type { Corpus } from './types';

export const HCL: Corpus = {
  verifier: 'hcl',
  path: 'infra/main.tf',
  wanted: 90,
  siblings: { 'infra/variables.tf': 'variable "region" {\n  type = string\n}\n' },
  good: `terraform {
  required_version = ">= 1.5"
}
variable "name" {
  type        = string
  description = "Name"
  default     = "web"
}
locals {
  tags = { app = var.name, region = var.region }
}
data "aws_ami" "base" {
  most_recent = true
}
resource "aws_instance" "web" {
  ami           = data.aws_ami.base.id
  instance_type = "t3.micro"
  user_data     = file("\${path.module}/init.sh")
  tags          = merge(local.tags, { Name = "\${var.name}-web" })
}
output "id" {
  value = aws_instance.web.id
}
`,
  faults: [
    ['a value that is missing', 'most_recent = true', 'most_recent ='],
    ['a variable that is not declared', 'app = var.name', 'app = var.nme'],
    ['a local that is not declared', 'local.tags', 'local.tag'],
    ['a resource that is not there', 'aws_instance.web.id', 'aws_instance.wbe.id'],
    ['a data source that is not there', 'data.aws_ami.base.id', 'data.aws_ami.bse.id'],
    ['an unknown function', 'merge(', 'mrge('],
    ['a brace that is not closed', 'output "id" {\n  value = aws_instance.web.id\n}', 'output "id" {\n  value = 1\n'],
    ['a file outside of the module', '"${path.module}/init.sh"', '"/etc/passwd"'],
    ['an unknown argument of a variable', 'description = "Name"', 'descripton = "Name"'],
    ['a resource without a name', '"aws_instance" "web"', '"aws_instance"'],
  ],
};

export const GITLAB: Corpus = {
  verifier: 'gitlab-ci',
  path: '.gitlab-ci.yml',
  wanted: 70,
  good: `stages: [build, test, deploy]
default:
  image: node:22
.base:
  before_script:
    - npm ci
build:
  stage: build
  extends: .base
  script:
    - npm run build
  artifacts:
    paths: [dist]
    expire_in: 1 week
test:
  stage: test
  extends: .base
  needs: [build]
  script: npm test
deploy:
  stage: deploy
  needs:
    - job: test
  script: ./deploy.sh
  environment:
    name: production
  rules:
    - if: $CI_COMMIT_BRANCH == "main"
      when: manual
`,
  faults: [
    ['a stage that is not listed', 'stage: deploy', 'stage: deplyo'],
    ['a job that is not there', 'needs: [build]', 'needs: [biuld]'],
    ['a template that is not there', 'extends: .base\n  script', 'extends: .bsae\n  script'],
    ['a misspelt key', 'script: ./deploy.sh', 'scripts: ./deploy.sh'],
    ['a script that is a mapping', 'script: npm test', 'script:\n    run: npm test'],
    ['an unknown value of when', 'when: manual', 'when: manualy'],
    ['an unknown key of artifacts', 'expire_in: 1 week', 'expires_in: 1 week'],
    ['rules and only', '  rules:', '  only: [main]\n  rules:'],
    ['a circle of needs', 'stage: build\n', 'stage: build\n  needs: [test]\n'],
    ['a need of a later stage', 'stage: build\n', 'stage: build\n  needs: [deploy]\n'],
  ],
};

export const SHELL: Corpus = {
  verifier: 'shell',
  path: 'scripts/deploy.sh',
  wanted: 70,
  good: `#!/usr/bin/env bash
set -euo pipefail

target="\${1:?target is missing}"
work="$(mktemp -d)"
trap 'rm -rf "\${work:?}"' EXIT

deploy() {
  local name="$1"
  if [ "$name" = "prod" ]; then
    echo "deploying $name"
  fi
}

for file in dist/*; do
  cp "$file" "$work/"
done
case "$target" in
  prod) deploy prod ;;
  *) echo "unknown" ;;
esac
`,
  faults: [
    ['an if without fi', '  fi\n', ''],
    ['a loop without done', 'done\n', ''],
    ['a case without esac', 'esac\n', ''],
    ['a quote that is not closed', 'echo "deploying $name"', 'echo "deploying $name'],
    ['a brace that is not closed', '  fi\n}\n', '  fi\n'],
    ['the root directory where a variable is empty', 'cp "$file"', 'rm -rf "$file"/*; cp "$file"'],
    ['a test that is always true', '[ "$name" = "prod" ]', '[ $name=prod ]'],
    ['a then that is missing', ']; then', ']; the'],
    ['a substitution that is not closed', '"$(mktemp -d)"', '"$(mktemp -d"'],
    ['a command that does not exist', 'mktemp -d', 'mktmp -d'],
  ],
};

export const JENKINSFILE: Corpus = {
  verifier: 'jenkinsfile',
  path: 'Jenkinsfile',
  wanted: 70,
  good: `pipeline {
  agent any
  options {
    timeout(time: 30, unit: 'MINUTES')
  }
  stages {
    stage('Build') {
      steps {
        sh 'npm ci'
      }
    }
    stage('Test') {
      when { branch 'main' }
      steps {
        sh "npm test"
      }
    }
  }
  post {
    always {
      junit 'reports/*.xml'
    }
  }
}
`,
  faults: [
    ['a brace too few', "junit 'reports/*.xml'\n    }", "junit 'reports/*.xml'"],
    ['a quote that is not closed', "sh 'npm ci'", "sh 'npm ci"],
    ['no agent', '  agent any\n', ''],
    ['steps without steps', "steps {\n        sh 'npm ci'\n      }", "sh 'npm ci'"],
    ['a misspelt section', '  stages {', '  stagess {'],
    ['an unknown condition of post', 'always {', 'allways {'],
    ['a stage without a name', "stage('Build') {", 'stage {'],
    ['two stages of one name', "stage('Test')", "stage('Build')"],
    ['an agent that is no word for one', 'agent any', 'agent linux'],
    ['a misspelt step', "junit 'reports", "jnit 'reports"],
  ],
};

export const ANSIBLE: Corpus = {
  verifier: 'ansible',
  path: 'ansible/playbook.yml',
  wanted: 70,
  good: `- name: Web
  hosts: web
  become: true
  tasks:
    - name: Install
      ansible.builtin.apt:
        name: nginx
        state: present
        update_cache: true
      notify: Restart
    - name: Configure
      ansible.builtin.template:
        src: nginx.conf.j2
        dest: /etc/nginx/nginx.conf
        mode: "0644"
      when: configure | bool
    - name: Start
      ansible.builtin.service:
        name: "{{ service }}"
        state: started
  handlers:
    - name: Restart
      ansible.builtin.service:
        name: nginx
        state: restarted
`,
  faults: [
    ['a misspelt keyword of the play', 'become: true', 'becom: true'],
    ['no hosts', '  hosts: web\n', ''],
    ['a misspelt list', '  tasks:', '  taskss:'],
    ['a misspelt module', 'ansible.builtin.template', 'ansible.builtin.templat'],
    ['a handler that is not there', 'notify: Restart', 'notify: Restrat'],
    ['an unknown parameter', 'update_cache: true', 'update_cach: true'],
    ['an unknown state', 'state: started', 'state: running'],
    ['a parameter that is missing', '        dest: /etc/nginx/nginx.conf\n', ''],
    ['a template that is not closed', '"{{ service }}"', '"{{ service }"'],
    ['a condition on an unknown filter', 'configure | bool', 'configure | boolen'],
  ],
};
