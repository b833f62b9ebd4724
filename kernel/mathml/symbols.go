package mathml

// letters are commands that stand for a letter.
var letters = map[string]string{
	`\alpha`: "α", `\beta`: "β", `\gamma`: "γ", `\delta`: "δ", `\epsilon`: "ϵ", `\varepsilon`: "ε", `\zeta`: "ζ",
	`\eta`: "η", `\theta`: "θ", `\vartheta`: "ϑ", `\iota`: "ι", `\kappa`: "κ", `\lambda`: "λ", `\mu`: "μ", `\nu`: "ν",
	`\xi`: "ξ", `\pi`: "π", `\varpi`: "ϖ", `\rho`: "ρ", `\varrho`: "ϱ", `\sigma`: "σ", `\varsigma`: "ς", `\tau`: "τ",
	`\upsilon`: "υ", `\phi`: "ϕ", `\varphi`: "φ", `\chi`: "χ", `\psi`: "ψ", `\omega`: "ω",
	`\Gamma`: "Γ", `\Delta`: "Δ", `\Theta`: "Θ", `\Lambda`: "Λ", `\Xi`: "Ξ", `\Pi`: "Π", `\Sigma`: "Σ", `\Upsilon`: "Υ",
	`\Phi`: "Φ", `\Psi`: "Ψ", `\Omega`: "Ω",
	`\ell`: "ℓ", `\hbar`: "ℏ", `\imath`: "ı", `\jmath`: "ȷ", `\Re`: "ℜ", `\Im`: "ℑ", `\aleph`: "ℵ", `\wp`: "℘",
	`\partial`: "∂", `\nabla`: "∇", `\infty`: "∞", `\emptyset`: "∅", `\varnothing`: "∅", `\top`: "⊤", `\bot`: "⊥",
	`\ldots`: "…", `\dots`: "…", `\cdots`: "⋯", `\vdots`: "⋮", `\ddots`: "⋱", `\prime`: "′", `\degree`: "°",
	`\%`: "%", `\#`: "#", `\$`: "$", `\&`: "&amp;", `\_`: "_", `\S`: "§",
}

// operators are relations, binary operators and arrows.
var operators = map[string]string{
	`\le`: "≤", `\leq`: "≤", `\ge`: "≥", `\geq`: "≥", `\leqslant`: "⩽", `\geqslant`: "⩾", `\ne`: "≠", `\neq`: "≠", `\lt`: "<", `\gt`: ">",
	`\approx`: "≈", `\equiv`: "≡", `\sim`: "∼", `\simeq`: "≃", `\cong`: "≅", `\propto`: "∝", `\ll`: "≪", `\gg`: "≫",
	`\prec`: "≺", `\succ`: "≻", `\preceq`: "⪯", `\succeq`: "⪰", `\doteq`: "≐", `\triangleq`: "≜", `\coloneqq`: "≔",
	`\in`: "∈", `\notin`: "∉", `\ni`: "∋", `\subset`: "⊂", `\subseteq`: "⊆", `\supset`: "⊃", `\supseteq`: "⊇",
	`\cup`: "∪", `\cap`: "∩", `\setminus`: "∖", `\wedge`: "∧", `\land`: "∧", `\vee`: "∨", `\lor`: "∨", `\neg`: "¬", `\lnot`: "¬",
	`\forall`: "∀", `\exists`: "∃", `\mid`: "∣", `\parallel`: "∥", `\perp`: "⟂", `\vdash`: "⊢", `\models`: "⊨",
	`\times`: "×", `\cdot`: "⋅", `\div`: "÷", `\pm`: "±", `\mp`: "∓", `\ast`: "∗", `\star`: "⋆", `\circ`: "∘", `\bullet`: "∙",
	`\oplus`: "⊕", `\ominus`: "⊖", `\otimes`: "⊗", `\odot`: "⊙", `\oslash`: "⊘",
	`\to`: "→", `\rightarrow`: "→", `\leftarrow`: "←", `\gets`: "←", `\leftrightarrow`: "↔", `\mapsto`: "↦",
	`\Rightarrow`: "⇒", `\implies`: "⟹", `\Leftarrow`: "⇐", `\Leftrightarrow`: "⇔", `\iff`: "⟺",
	`\uparrow`: "↑", `\downarrow`: "↓", `\longrightarrow`: "⟶", `\hookrightarrow`: "↪", `\colon`: ":",
	`\bmod`: "mod", `\backslash`: "\\",
}

// large are operators that grow in a display.
var large = map[string]string{
	`\sum`: "∑", `\prod`: "∏", `\coprod`: "∐", `\int`: "∫", `\iint`: "∬", `\oint`: "∮",
	`\bigcup`: "⋃", `\bigcap`: "⋂", `\bigoplus`: "⨁", `\bigotimes`: "⨂", `\bigvee`: "⋁", `\bigwedge`: "⋀",
}

// fences are delimiters.
var fences = map[string]string{
	`\{`: "{", `\}`: "}", `\lbrace`: "{", `\rbrace`: "}", `\|`: "‖", `\Vert`: "‖", `\lVert`: "‖", `\rVert`: "‖",
	`\vert`: "|", `\lvert`: "|", `\rvert`: "|", `\langle`: "⟨", `\rangle`: "⟩",
	`\lfloor`: "⌊", `\rfloor`: "⌋", `\lceil`: "⌈", `\rceil`: "⌉", `\lbrack`: "[", `\rbrack`: "]",
}

var spaces = map[string]string{
	`\,`: "0.17em", `\:`: "0.22em", `\>`: "0.22em", `\;`: "0.28em", `\!`: "-0.17em", `\ `: "0.33em", `\quad`: "1em", `\qquad`: "2em",
	`\enspace`: "0.5em", `\thinspace`: "0.17em",
}

// functions are names in upright letters; true where scripts stand under them
// in a display.
var functions = map[string]bool{
	`\min`: true, `\max`: true, `\inf`: true, `\sup`: true, `\lim`: true, `\limsup`: true, `\liminf`: true, `\argmin`: true,
	`\argmax`: true, `\det`: true, `\Pr`: true, `\gcd`: true, `\arg`: false, `\log`: false, `\ln`: false, `\exp`: false,
	`\sin`: false, `\cos`: false, `\tan`: false, `\tanh`: false, `\sinh`: false, `\cosh`: false, `\arctan`: false, `\deg`: false,
	`\dim`: false, `\ker`: false, `\hom`: false,
}

var accents = map[string]struct{ text, stretchy string }{
	`\hat`: {"^", "false"}, `\widehat`: {"^", "true"}, `\tilde`: {"~", "false"}, `\widetilde`: {"~", "true"},
	`\bar`: {"¯", "false"}, `\vec`: {"→", "false"}, `\dot`: {"˙", "false"}, `\ddot`: {"¨", "false"}, `\check`: {"ˇ", "false"},
	`\breve`: {"˘", "false"}, `\acute`: {"´", "false"}, `\grave`: {"`", "false"}, `\mathring`: {"˚", "false"}, `\overrightarrow`: {"→", "true"},
}

var sizes = map[string]string{
	`\big`: "1.2em", `\bigl`: "1.2em", `\bigr`: "1.2em", `\bigm`: "1.2em", `\Big`: "1.8em", `\Bigl`: "1.8em", `\Bigr`: "1.8em", `\Bigm`: "1.8em",
	`\bigg`: "2.4em", `\biggl`: "2.4em", `\biggr`: "2.4em", `\Bigg`: "3em", `\Biggl`: "3em", `\Biggr`: "3em",
}

// alphabets are the letters of Unicode's block "Mathematical Alphanumeric
// Symbols", and of "Letterlike Symbols" where that had them before.
var alphabets = map[string]func(rune) rune{
	`\mathrm`: func(r rune) rune { return r }, `\mathup`: func(r rune) rune { return r }, `\mathnormal`: func(r rune) rune { return r },
	`\mathbf`: bold, `\boldsymbol`: bold, `\bm`: bold, `\bold`: bold, `\pmb`: bold,
	`\mathcal`: script, `\mathscr`: script, `\mathbb`: double, `\mathfrak`: fraktur, `\mathit`: italic,
	`\mathsf`: shifted(0x1D5A0, 0x1D5BA, 0x1D7E2), `\mathtt`: shifted(0x1D670, 0x1D68A, 0x1D7F6),
}

func shifted(upper, lower, digit rune) func(rune) rune {
	return func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return upper + r - 'A'
		case r >= 'a' && r <= 'z':
			return lower + r - 'a'
		case r >= '0' && r <= '9' && digit != 0:
			return digit + r - '0'
		}
		return r
	}
}

func bold(r rune) rune {
	switch {
	case r >= 'Α' && r <= 'Ω':
		return 0x1D6A8 + r - 'Α'
	case r >= 'α' && r <= 'ω':
		return 0x1D6C2 + r - 'α'
	case r == '∇':
		return 0x1D6C1
	case r == 'ϵ':
		return 0x1D6DC
	case r == 'ϕ':
		return 0x1D6DF
	}
	return shifted(0x1D400, 0x1D41A, 0x1D7CE)(r)
}

// except takes the letters that Unicode has elsewhere from pairs of runes.
func except(pairs string, otherwise func(rune) rune) func(rune) rune {
	elsewhere := map[rune]rune{}
	list := []rune(pairs)
	for i := 0; i+1 < len(list); i += 2 {
		elsewhere[list[i]] = list[i+1]
	}
	return func(r rune) rune {
		if s, ok := elsewhere[r]; ok {
			return s
		}
		return otherwise(r)
	}
}

var (
	script  = except("BℬEℰFℱHℋIℐLℒMℳRℛeℯgℊoℴ", shifted(0x1D49C, 0x1D4B6, 0))
	double  = except("CℂHℍNℕPℙQℚRℝZℤ", shifted(0x1D538, 0x1D552, 0x1D7D8))
	fraktur = except("CℭHℌIℑRℜZℨ", shifted(0x1D504, 0x1D51E, 0))
	italic  = except("hℎ", shifted(0x1D434, 0x1D44E, 0))
)
