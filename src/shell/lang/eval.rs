//! What the tree does: lists, loops, conditions, subshells, pipelines. Models evaltree() and its
//! helpers of busybox ash.

use super::expand::Tilde;
use super::jobs::Fork;
use super::pattern::Pattern;
use super::{Flow, Res, Running, Shell};
use crate::shell::syntax::{Arm, Node, NodeKind, NodeRef, Word};
use std::rc::Rc;

impl Shell {
    /// Runs a command. `tested`: its failure is looked at, so `set -e` lets it be. `exits`:
    /// nothing comes after it, so a program may take the shell's place.
    pub(in crate::shell) fn eval<'a>(
        &'a mut self,
        node: &'a Node,
        tested: bool,
        exits: bool,
    ) -> Running<'a> {
        Box::pin(async move {
            self.deeper().await?;
            let result = self.eval_node(node, tested, exits).await;
            self.depth -= 1;
            result
        })
    }

    async fn eval_node(&mut self, node: &Node, tested: bool, exits: bool) -> Res {
        if self.options.has('n') {
            return Ok(self.status);
        }
        self.sys.tick().await;
        if self.sys.has_signals() {
            Box::pin(self.run_traps()).await?;
        }
        let status = self.eval_kind(node, tested, exits).await?;
        let leaf = matches!(
            node.kind,
            NodeKind::Simple(_) | NodeKind::Pipeline(_) | NodeKind::Subshell { .. }
        );
        let check_exit = leaf && !tested;
        self.status = status;
        if self.sys.has_signals() {
            Box::pin(self.run_traps()).await?;
        }
        if check_exit && status != 0 {
            Box::pin(self.failed(status)).await?;
        }
        Ok(self.status)
    }

    // Each kind of command has a box of its own: one big future for all of them would be copied
    // over the stack at every level of nesting.
    async fn eval_kind(&mut self, node: &Node, tested: bool, exits: bool) -> Res {
        Ok(match &node.kind {
            NodeKind::Simple(simple) => Box::pin(self.simple(simple, node, tested, exits)).await?,
            NodeKind::Sequence(nodes) => {
                let mut status = 0;
                for (i, node) in nodes.iter().enumerate() {
                    let last = i + 1 == nodes.len();
                    status = self.eval(node, tested, exits && last).await?;
                }
                status
            }
            NodeKind::AndOr(first, rest) => {
                let mut status = self.eval(first, true, false).await?;
                for (i, (after_success, node)) in rest.iter().enumerate() {
                    let last = i + 1 == rest.len();
                    if (status == 0) == *after_success {
                        status = self.eval(node, tested || !last, exits && last).await?;
                    }
                }
                status
            }
            NodeKind::Not(inner) => i32::from(self.eval(inner, true, false).await? == 0),
            NodeKind::Pipeline(stages) => Box::pin(self.pipeline(stages, Fork::Foreground)).await?,
            NodeKind::Background(inner) => {
                Box::pin(self.background_command(inner)).await?;
                0
            }
            NodeKind::Subshell { body, redirects } => {
                self.line = node.line;
                Box::pin(self.subshell(body, redirects, tested, exits)).await?
            }
            NodeKind::Redirected { body, redirects } => {
                self.line = node.line;
                Box::pin(self.redirected(body, redirects, tested)).await?
            }
            NodeKind::If { .. } => Box::pin(self.choose(node, tested, exits)).await?,
            NodeKind::While { until, test, body } => {
                Box::pin(self.while_loop(*until, test, body, tested)).await?
            }
            NodeKind::For { name, words, body } => {
                self.line = node.line;
                Box::pin(self.for_loop(name, words.as_deref(), body, tested)).await?
            }
            NodeKind::Case { word, arms } => {
                self.line = node.line;
                Box::pin(self.case(word, arms, tested, exits)).await?
            }
            NodeKind::Function { name, body } => {
                Rc::make_mut(&mut self.functions).insert(name.clone(), Rc::clone(body));
                self.hash.remove(name);
                0
            }
        })
    }

    /// `if`, and its `elif`s without going deeper.
    async fn choose(&mut self, node: &Node, tested: bool, exits: bool) -> Res {
        let mut node = node;
        while let NodeKind::If { test, then, otherwise } = &node.kind {
            if self.eval(test, true, false).await? == 0 {
                return self.eval(then, tested, exits).await;
            }
            let Some(next) = otherwise else { return Ok(0) };
            node = next;
        }
        self.eval(node, tested, exits).await
    }

    /// A command failed and nobody looked: the ERR trap, then `set -e`.
    async fn failed(&mut self, status: i32) -> Res<()> {
        self.run_err_trap().await?;
        self.status = status;
        if self.options.has('e') { Err(Flow::Exit(status)) } else { Ok(()) }
    }

    /// What a loop does when its body did not simply end. `Some` ends the loop.
    fn after_body(&mut self, flow: Flow) -> Res<Option<i32>> {
        if matches!(flow, Flow::Continue(_) | Flow::Break(_)) {
            self.status = 0;
        }
        match flow {
            Flow::Continue(1) => Ok(None),
            Flow::Break(1) => Ok(Some(0)),
            Flow::Continue(n) => Err(Flow::Continue(n - 1)),
            Flow::Break(n) => Err(Flow::Break(n - 1)),
            other => Err(other),
        }
    }

    async fn while_loop(&mut self, until: bool, test: &Node, body: &Node, tested: bool) -> Res {
        self.loops += 1;
        let result = self.while_inner(until, test, body, tested).await;
        self.loops -= 1;
        result
    }

    async fn while_inner(&mut self, until: bool, test: &Node, body: &Node, tested: bool) -> Res {
        let mut status = 0;
        loop {
            let go_on = match self.eval(test, true, false).await {
                Ok(code) => (code == 0) != until,
                Err(flow) => match self.after_body(flow)? {
                    Some(_) => return Ok(status),
                    None => continue,
                },
            };
            if !go_on {
                return Ok(status);
            }
            match self.eval(body, tested, false).await {
                Ok(code) => status = code,
                Err(flow) => {
                    status = 0;
                    if self.after_body(flow)?.is_some() {
                        return Ok(status);
                    }
                }
            }
        }
    }

    async fn for_loop(
        &mut self,
        name: &str,
        words: Option<&[Word]>,
        body: &Node,
        tested: bool,
    ) -> Res {
        let mut values = Vec::new();
        match words {
            Some(words) => {
                for word in words {
                    self.expand_fields(word, &mut values).await?;
                }
            }
            None => values.extend(self.params.args.iter().cloned()),
        }
        self.loops += 1;
        let result = self.for_inner(name, values, body, tested).await;
        self.loops -= 1;
        result
    }

    async fn for_inner(
        &mut self,
        name: &str,
        values: Vec<String>,
        body: &Node,
        tested: bool,
    ) -> Res {
        let mut status = 0;
        for value in values {
            self.set_var(name, &value).await?;
            match self.eval(body, tested, false).await {
                Ok(code) => status = code,
                Err(flow) => {
                    status = 0;
                    if self.after_body(flow)?.is_some() {
                        break;
                    }
                }
            }
        }
        Ok(status)
    }

    async fn case(&mut self, word: &Word, arms: &[Arm], tested: bool, exits: bool) -> Res {
        let text = self.expand_text(word, Tilde::Start).await?;
        let chars: Vec<char> = text.chars().collect();
        for arm in arms {
            for pattern in &arm.patterns {
                let pattern: Pattern = self.expand_pattern(pattern).await?;
                if !pattern.matches(&chars) {
                    continue;
                }
                return match &arm.body {
                    Some(body) => self.eval(body, tested, exits).await,
                    None => Ok(0),
                };
            }
        }
        Ok(0)
    }

    async fn redirected(
        &mut self,
        body: &Node,
        redirects: &[crate::shell::syntax::Redirect],
        tested: bool,
    ) -> Res {
        let saved = match self.redirect(redirects).await? {
            Ok(saved) => saved,
            Err(()) => return Ok(1),
        };
        let result = self.eval(body, tested, false).await;
        self.restore(saved);
        result
    }

    async fn subshell(
        &mut self,
        body: &NodeRef,
        redirects: &[crate::shell::syntax::Redirect],
        tested: bool,
        exits: bool,
    ) -> Res {
        let texts = self.redirect_texts(redirects).await?;
        let targets = super::redirect::Plan::new(redirects, texts);
        if exits && !self.may_have_traps {
            self.is_root_shell = false;
            self.apply(&targets).await?;
            let status = self.eval(body, tested, true).await?;
            return Err(Flow::Exit(status));
        }
        let node = Rc::clone(body);
        let fork = self.fork(body, Fork::Foreground, move |mut child| async move {
            let result = match child.apply(&targets).await {
                Ok(()) => child.eval(&node, tested, true).await,
                Err(flow) => Err(flow),
            };
            child.finish(result).await
        });
        let pid = fork.await?;
        let job = self.add_job(pid);
        Ok(self.wait_for_job(job).await)
    }

    async fn background_command(&mut self, node: &NodeRef) -> Res<()> {
        if let NodeKind::Pipeline(stages) = &node.kind {
            self.pipeline(stages, Fork::Background).await?;
            return Ok(());
        }
        let (body, redirects) = match &node.kind {
            NodeKind::Redirected { body, redirects } | NodeKind::Subshell { body, redirects } => {
                (body, redirects.as_slice())
            }
            _ => (node, [].as_slice()),
        };
        let texts = self.redirect_texts(redirects).await?;
        let targets = super::redirect::Plan::new(redirects, texts);
        let inner = Rc::clone(body);
        let fork = self.fork(body, Fork::Background, move |mut child| async move {
            child.stdin_from_null().await;
            let result = match child.apply(&targets).await {
                Ok(()) => child.eval(&inner, false, true).await,
                Err(flow) => Err(flow),
            };
            child.finish(result).await
        });
        let pid = fork.await?;
        self.background = pid;
        self.add_job(pid);
        Ok(())
    }

    /// Runs stages side by side, each a process of its own.
    async fn pipeline(&mut self, stages: &[NodeRef], how: Fork) -> Res {
        let mut previous: Option<u32> = None;
        let mut job = None;
        for (i, stage) in stages.iter().enumerate() {
            let ends = match i + 1 < stages.len() {
                true => match self.sys.pipe() {
                    Ok(ends) => Some(ends),
                    Err(errno) => {
                        return self.raise(&format!("can't create pipe: {errno}")).await;
                    }
                },
                false => None,
            };
            let node = Rc::clone(stage);
            let input = previous;
            let first = i == 0;
            let fork = self.fork(stage, how, move |mut child| async move {
                if how == Fork::Background && first {
                    child.stdin_from_null().await;
                }
                child.stage_files(input, ends);
                let result = child.eval(&node, false, true).await;
                child.finish(result).await
            });
            let pid = fork.await?;
            if let Some(fd) = previous.take() {
                let _ = self.sys.close(fd);
            }
            if let Some((read, write)) = ends {
                let _ = self.sys.close(write);
                previous = Some(read);
            }
            if how == Fork::Background {
                self.background = pid;
            }
            match job {
                None => job = Some(self.add_job(pid)),
                Some(id) => self.add_to_job(id, pid),
            }
        }
        match job {
            Some(id) if how == Fork::Foreground => Ok(self.wait_for_job(id).await),
            _ => Ok(0),
        }
    }

    /// Puts a stage's pipe ends in their places.
    fn stage_files(&self, input: Option<u32>, ends: Option<(u32, u32)>) {
        if let Some((read, _)) = ends {
            let _ = self.sys.close(read);
        }
        if let Some(fd) = input.filter(|fd| *fd > 0) {
            let _ = self.sys.dup2(fd, 0);
            let _ = self.sys.close(fd);
        }
        if let Some((_, write)) = ends.filter(|(_, write)| *write > 1) {
            let _ = self.sys.dup2(write, 1);
            let _ = self.sys.close(write);
        }
    }

    async fn stdin_from_null(&self) {
        let _ = self.sys.close(0);
        let _ = self.sys.open("/dev/null", crate::shell::OpenHow::READ).await;
    }
}
