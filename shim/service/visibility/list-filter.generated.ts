// Made of list-filter.peggy by scripts/generate-parser.ts: change it there.
// @ts-nocheck
const ui={0:"\0",b:"\b",n:`
`,r:"\r",t:"	",Z:""},ai=o=>ui[o]??o,Ns=(o,L,e)=>e.length===0?L:{kind:o,operands:[L,...e]};class Ae extends SyntaxError{constructor(L,e,S,P){super(L),
this.expected=e,this.found=S,this.location=P,this.name="SyntaxError"}format(L){let e="Error: "+this.message;if(this.location){let S=null;const P=L.find(
O=>O.source===this.location.source);P&&(S=P.text.split(/\r\n|\n|\r/g));const y=this.location.start,B=this.location.source&&typeof this.location.source.
offset=="function"?this.location.source.offset(y):y,R=this.location.source+":"+B.line+":"+B.column;if(S){const O=this.location.end,j="".padEnd(B.line.
toString().length," "),k=S[y.line-1],b=(y.line===O.line?O.column:k.length+1)-y.column||1;e+=`
 --> `+R+`
`+j+` |
`+B.line+" | "+k+`
`+j+" | "+"".padEnd(y.column-1," ")+"".padEnd(b,"^")}else e+=`
 at `+R}return e}static buildMessage(L,e){function S(b){return b.codePointAt(0).toString(16).toUpperCase()}const P=Object.prototype.hasOwnProperty.call(
RegExp.prototype,"unicode")?new RegExp("[\\p{C}\\p{Mn}\\p{Mc}]","gu"):null;function y(b){return P?b.replace(P,C=>"\\u{"+S(C)+"}"):b}function B(b){return y(
b.replace(/\\/g,"\\\\").replace(/"/g,'\\"').replace(/\0/g,"\\0").replace(/\t/g,"\\t").replace(/\n/g,"\\n").replace(/\r/g,"\\r").replace(/[\x00-\x0F]/g,
C=>"\\x0"+S(C)).replace(/[\x10-\x1F\x7F-\x9F]/g,C=>"\\x"+S(C)))}function R(b){return y(b.replace(/\\/g,"\\\\").replace(/\]/g,"\\]").replace(/\^/g,"\\^").
replace(/-/g,"\\-").replace(/\0/g,"\\0").replace(/\t/g,"\\t").replace(/\n/g,"\\n").replace(/\r/g,"\\r").replace(/[\x00-\x0F]/g,C=>"\\x0"+S(C)).replace(
/[\x10-\x1F\x7F-\x9F]/g,C=>"\\x"+S(C)))}const O={literal(b){return'"'+B(b.text)+'"'},class(b){const C=b.parts.map(F=>Array.isArray(F)?R(F[0])+"-"+R(F[1]):
R(F));return"["+(b.inverted?"^":"")+C.join("")+"]"+(b.unicode?"u":"")},any(){return"any character"},end(){return"end of input"},other(b){return b.description}};
function j(b){return O[b.type](b)}function k(b){const C=b.map(j);if(C.sort(),C.length>0){let F=1;for(let v=1;v<C.length;v++)C[v-1]!==C[v]&&(C[F]=C[v],
F++);C.length=F}switch(C.length){case 1:return C[0];case 2:return C[0]+" or "+C[1];default:return C.slice(0,-1).join(", ")+", or "+C[C.length-1]}}function X(b){
return b?'"'+B(b)+'"':"end of input"}return"Expected "+k(L)+" but "+X(e)+" found."}}function gi(o,L){L=L!==void 0?L:{};const e={},S=L.grammarSource,P={
Query:As};let y=As;const B=";",R=",",O="(",j=")",k="<>",X="!=",b="<=",C=">",F=">=",v="<=>",Ie="not",Te="like",Oe="regexp",Fe="rlike",De="`",ee="``",Pe="\
'",se="\\",fe="''",Ue='"',te='""',Be=".",ys="e",Is="true",Ts="false",Os="xor",Fs="exists",Ds="select",Ps="and",ve="&&",Us="or",_e="||",Bs="in",vs="is",
_s="null",Gs="between",Ws="starts_with",js="group",ks="order",Ms="by",Hs="asc",Qs="desc",Ys="limit",Vs="having",Zs="offset",ie="--",ne="/*",I="*/",zs=/^[<->]/,
Xs=/^[);]/,Ge=/^[A-Za-z_]/,qs=/^[A-Za-z0-9_.@\-]/,We=/^[^`]/,je=/^[^'\\]/,ke=/^[^"\\]/,Ks=/^['"`]/,Me=/^[+\-]/,_=/^[0-9]/,He=/^[ \t\r\n\v\f\xA0]/,re=/^[^\n]/,
Js=d(";",!1),M=d(",",!1),le=d("(",!1),Qe=d(")",!1),ef=m("a comparison"),sf=d("<>",!1),ff=d("!=",!1),tf=d("<=",!1),nf=d(">",!1),rf=d(">=",!1),lf=T([["<",
">"]],!1,!1,!1),of=T([")",";"],!1,!1,!1),H=Vt(),cf=d("<=>",!1),Ye=d("NOT",!0),Ve=d("LIKE",!0),Ze=d("REGEXP",!0),ze=d("RLIKE",!0),uf=m("a search attrib\
ute"),Xe=T([["A","Z"],["a","z"],"_"],!1,!1,!1),af=T([["A","Z"],["a","z"],["0","9"],"_",".","@","-"],!1,!1,!1),qe=d("`",!1),Ke=T(["`"],!0,!1,!1),Je=d("\
``",!1),gf=m("a value"),es=d("'",!1),oe=d("\\",!1),ss=d("''",!1),fs=T(["'","\\"],!0,!1,!1),ts=d('"',!1),is=d('""',!1),ns=T(['"',"\\"],!0,!1,!1),pf=T([
"'",'"',"`"],!1,!1,!1),rs=T(["+","-"],!1,!1,!1),G=T([["0","9"]],!1,!1,!1),ls=d(".",!1),$f=d("e",!0),df=d("TRUE",!0),hf=d("FALSE",!0),Af=d("XOR",!0),bf=d(
"EXISTS",!0),Cf=d("SELECT",!0),wf=m("AND"),Ef=d("AND",!0),Lf=d("&&",!1),xf=m("OR"),Sf=d("OR",!0),mf=d("||",!1),Rf=m("NOT"),Nf=m("IN"),yf=d("IN",!0),If=m(
"IS"),Tf=d("IS",!0),Of=m("NULL"),Ff=d("NULL",!0),Df=m("BETWEEN"),Pf=d("BETWEEN",!0),Uf=d("STARTS_WITH",!0),Bf=m("GROUP BY"),vf=d("GROUP",!0),_f=m("ORD\
ER BY"),Gf=d("ORDER",!0),Wf=m("BY"),jf=d("BY",!0),kf=m("ASC"),Mf=d("ASC",!0),Hf=m("DESC"),Qf=d("DESC",!0),Yf=d("LIMIT",!0),Vf=d("HAVING",!0),Zf=d("OFF\
SET",!0),os=T([" ","	","\r",`
`,"\v","\f","\xA0"],!1,!1,!1),cs=d("--",!1),ce=T([`
`],!0,!1,!1),us=d("/*",!1),Q=d("*/",!1);function zf(s,t,n){return{where:s,groupBy:t??[],orderBy:n??[]}}function Xf(s,t){return[s,...t]}function qf(s,t){
return[s,...t]}function Kf(s,t){return{...s,descending:t==="DESC"}}function Jf(s){U(`operation is not supported: '${s}' clause`)}function et(s,t){return Ns(
"or",s,t)}function st(s,t){return Ns("and",s,t)}function ft(s){return{kind:"not",operand:s}}function tt(s,t){return{kind:"null",name:s,negated:t!==null}}
function it(s,t,n,i){return{kind:"between",name:s,negated:t!==null,from:n,to:i}}function nt(s,t,n,i){return{kind:"in",name:s,negated:t!==null,values:[
n,...i]}}function rt(s,t,n){return{kind:"compare",name:s,operator:t,value:n}}function lt(s){return s===null?"starts_with":"not starts_with"}function ot(){
return"!="}function ct(){return"<="}function ut(){U("operation is not supported: function expression")}function at(){U("invalid expression: incomplete\
 expression")}function gt(){U("invalid expression: must be a column name but was a value (the search attribute stands on the left)")}function pt(){U("\
invalid expression: 'IS' operator can only be used as 'IS NULL' or 'IS NOT NULL'")}function $t(s){U(`invalid expression: invalid operator '${s.toLowerCase()}\
'`)}function dt(s){return{name:s,position:he()}}function as(){return"`"}function ht(s){return s.join("")}function At(s){return{value:s,text:s,position:he()}}
function bt(s){return{value:Number(s),text:s,position:he()}}function Ct(s){return{value:s,text:String(s),position:he()}}function wt(){U("invalid expre\
ssion: NULL is no value: use 'IS NULL' or 'IS NOT NULL'")}function Et(){U("operation is not supported: nested func")}function Lt(s){U(`operation is no\
t supported: column name on the right side of comparison expression (did you forget to quote '${s.name}'?)`)}function gs(){return"'"}function xt(s){return s.
join("")}function ps(){return'"'}function St(s){return s.join("")}function mt(s){return ai(s)}function Rt(){U("malformed SQL query: syntax error: the \
quote is not closed")}function Nt(s,t){return s==="-"?`-${t}`:t}function yt(){return!0}function It(){return!1}function Tt(){return"AND"}function Ot(){
return"OR"}function Ft(){return"NOT"}function Dt(){return"IN"}function Pt(){return"IS"}function Ut(){return"NULL"}function Bt(){return"BETWEEN"}function vt(){
return"STARTS_WITH"}function _t(){return"GROUP"}function Gt(){return"ORDER"}function Wt(){return"BY"}function jt(){return"ASC"}function kt(){return"DE\
SC"}function Mt(){return"LIMIT"}function Ht(){return"HAVING"}function Qt(){return"OFFSET"}let f=L.peg$currPos|0,p=f;const Y=[{line:1,column:1}];let D=f,
ue=L.peg$maxFailExpected||[],r=L.peg$silentFails|0,q;if(L.startRule){if(!(L.startRule in P))throw new Error(`Can't start parsing from rule "`+L.startRule+
'".');y=P[L.startRule]}function $i(){return o.substring(p,f)}function di(){return p}function hi(){return{source:S,start:p,end:f}}function $s(){return K(
p,f)}function Ai(s,t){throw t=t!==void 0?t:K(p,f),hs([m(s)],o.substring(p,f),t)}function bi(s,t){throw t=t!==void 0?t:K(p,f),zt(s,t)}function Yt(s=f){
const t=o.codePointAt(s);return t===void 0?"":String.fromCodePoint(t)}function d(s,t){return{type:"literal",text:s,ignoreCase:t}}function T(s,t,n,i){return{
type:"class",parts:s,inverted:t,ignoreCase:n,unicode:i}}function Vt(){return{type:"any"}}function Zt(){return{type:"end"}}function m(s){return{type:"o\
ther",description:s}}function ds(s){let t=Y[s],n;if(t)return t;if(s>=Y.length)n=Y.length-1;else for(n=s;!Y[--n];);for(t=Y[n],t={line:t.line,column:t.column};n<
s;)o.charCodeAt(n)===10?(t.line++,t.column=1):t.column++,n++;return Y[s]=t,t}function K(s,t,n){const i=ds(s),l=ds(t),c={source:S,start:{offset:s,line:i.
line,column:i.column},end:{offset:t,line:l.line,column:l.column}};return n&&S&&typeof S.offset=="function"&&(c.start=S.offset(c.start),c.end=S.offset(
c.end)),c}function u(s){f<D||(f>D&&(D=f,ue=[]),ue.push(s))}function zt(s,t){return new Ae(s,null,null,t)}function hs(s,t,n){return new Ae(Ae.buildMessage(
s,t),s,t,n)}function As(){let s,t,n,i,l,c,a,g,A;return s=f,t=$(),n=f,i=bs(),i!==e?(l=$(),n=i):(f=n,n=e),n===e&&(n=null),i=f,l=Xt(),l!==e?(c=$(),i=l):(f=
i,i=e),i===e&&(i=null),l=f,c=qt(),c!==e?(a=$(),l=c):(f=l,l=e),l===e&&(l=null),c=Kt(),c===e&&(c=null),a=f,o.charCodeAt(f)===59?(g=B,f++):(g=e,r===0&&u(
Js)),g!==e?(A=$(),g=[g,A],a=g):(f=a,a=e),a===e&&(a=null),p=s,s=zf(n,i,l),s}function Xt(){let s,t,n,i,l,c,a,g,A,w,h,x;if(s=f,t=me(),t!==e)if(n=$(),i=Ne(),
i!==e)if(l=$(),c=N(),c!==e){for(a=[],g=f,A=$(),o.charCodeAt(f)===44?(w=R,f++):(w=e,r===0&&u(M)),w!==e?(h=$(),x=N(),x!==e?g=x:(f=g,g=e)):(f=g,g=e);g!==
e;)a.push(g),g=f,A=$(),o.charCodeAt(f)===44?(w=R,f++):(w=e,r===0&&u(M)),w!==e?(h=$(),x=N(),x!==e?g=x:(f=g,g=e)):(f=g,g=e);p=s,s=Xf(c,a)}else f=s,s=e;else
f=s,s=e;else f=s,s=e;return s}function qt(){let s,t,n,i,l,c,a,g,A,w,h,x;if(s=f,t=Re(),t!==e)if(n=$(),i=Ne(),i!==e)if(l=$(),c=be(),c!==e){for(a=[],g=f,
A=$(),o.charCodeAt(f)===44?(w=R,f++):(w=e,r===0&&u(M)),w!==e?(h=$(),x=be(),x!==e?g=x:(f=g,g=e)):(f=g,g=e);g!==e;)a.push(g),g=f,A=$(),o.charCodeAt(f)===
44?(w=R,f++):(w=e,r===0&&u(M)),w!==e?(h=$(),x=be(),x!==e?g=x:(f=g,g=e)):(f=g,g=e);p=s,s=qf(c,a)}else f=s,s=e;else f=s,s=e;else f=s,s=e;return s}function be(){
let s,t,n,i,l;return s=f,t=N(),t!==e?(n=f,i=$(),l=oi(),l===e&&(l=ci()),l!==e?n=l:(f=n,n=e),n===e&&(n=null),p=s,s=Kf(t,n)):(f=s,s=e),s}function Kt(){let s,
t;return s=f,t=Ls(),t===e&&(t=xs(),t===e&&(t=Ss())),t!==e&&(p=s,t=Jf(t)),s=t,s}function bs(){let s,t,n,i,l,c,a,g;if(s=f,t=Ce(),t!==e){for(n=[],i=f,l=$(),
c=pe(),c!==e?(a=$(),g=Ce(),g!==e?i=g:(f=i,i=e)):(f=i,i=e);i!==e;)n.push(i),i=f,l=$(),c=pe(),c!==e?(a=$(),g=Ce(),g!==e?i=g:(f=i,i=e)):(f=i,i=e);p=s,s=et(
t,n)}else f=s,s=e;return s}function Ce(){let s,t,n,i,l,c,a,g;if(s=f,t=ae(),t!==e){for(n=[],i=f,l=$(),c=J(),c!==e?(a=$(),g=ae(),g!==e?i=g:(f=i,i=e)):(f=
i,i=e);i!==e;)n.push(i),i=f,l=$(),c=J(),c!==e?(a=$(),g=ae(),g!==e?i=g:(f=i,i=e)):(f=i,i=e);p=s,s=st(t,n)}else f=s,s=e;return s}function ae(){let s,t,n,
i,l,c;return s=f,t=W(),t!==e?(n=$(),i=ae(),i!==e?(p=s,s=ft(i)):(f=s,s=e)):(f=s,s=e),s===e&&(s=f,o.charCodeAt(f)===40?(t=O,f++):(t=e,r===0&&u(le)),t!==
e?(n=$(),i=bs(),i!==e?(l=$(),o.charCodeAt(f)===41?(c=j,f++):(c=e,r===0&&u(Qe)),c!==e?s=i:(f=s,s=e)):(f=s,s=e)):(f=s,s=e),s===e&&(s=Jt(),s===e&&(s=ei()))),
s}function Jt(){let s,t,n,i,l,c,a,g,A,w,h,x,Z,Rs,z;if(s=f,t=N(),t!==e?(n=$(),i=$e(),i!==e?(l=$(),c=f,a=W(),a!==e?(g=$(),c=a):(f=c,c=e),c===e&&(c=null),
a=de(),a!==e?(p=s,s=tt(t,c)):(f=s,s=e)):(f=s,s=e)):(f=s,s=e),s===e&&(s=f,t=N(),t!==e?(n=$(),i=f,l=W(),l!==e?(c=$(),i=l):(f=i,i=e),i===e&&(i=null),l=Se(),
l!==e?(c=$(),a=V(),a!==e?(g=$(),A=J(),A!==e?(w=$(),h=V(),h!==e?(p=s,s=it(t,i,a,h)):(f=s,s=e)):(f=s,s=e)):(f=s,s=e)):(f=s,s=e)):(f=s,s=e),s===e)){if(s=
f,t=N(),t!==e)if(n=$(),i=f,l=W(),l!==e?(c=$(),i=l):(f=i,i=e),i===e&&(i=null),l=xe(),l!==e)if(c=$(),o.charCodeAt(f)===40?(a=O,f++):(a=e,r===0&&u(le)),a!==
e)if(g=$(),A=V(),A!==e){for(w=[],h=f,x=$(),o.charCodeAt(f)===44?(Z=R,f++):(Z=e,r===0&&u(M)),Z!==e?(Rs=$(),z=V(),z!==e?h=z:(f=h,h=e)):(f=h,h=e);h!==e;)
w.push(h),h=f,x=$(),o.charCodeAt(f)===44?(Z=R,f++):(Z=e,r===0&&u(M)),Z!==e?(Rs=$(),z=V(),z!==e?h=z:(f=h,h=e)):(f=h,h=e);h=$(),o.charCodeAt(f)===41?(x=
j,f++):(x=e,r===0&&u(Qe)),x!==e?(p=s,s=nt(t,i,A,w)):(f=s,s=e)}else f=s,s=e;else f=s,s=e;else f=s,s=e;else f=s,s=e;s===e&&(s=f,t=N(),t!==e?(n=$(),i=Cs(),
i!==e?(l=$(),c=V(),c!==e?(p=s,s=rt(t,i,c)):(f=s,s=e)):(f=s,s=e)):(f=s,s=e))}return s}function Cs(){let s,t,n,i;return r++,s=f,t=f,n=W(),n!==e?(i=$(),t=
n):(f=t,t=e),t===e&&(t=null),n=Es(),n!==e?(p=s,s=lt(t)):(f=s,s=e),s===e&&(s=f,o.substr(f,2)===k?(t=k,f+=2):(t=e,r===0&&u(sf)),t!==e&&(p=s,t=ot()),s=t,
s===e&&(o.substr(f,2)===X?(s=X,f+=2):(s=e,r===0&&u(ff)),s===e&&(s=f,o.substr(f,2)===b?(t=b,f+=2):(t=e,r===0&&u(tf)),t!==e?(n=f,r++,o.charCodeAt(f)===62?
(i=C,f++):(i=e,r===0&&u(nf)),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=ct()):(f=s,s=e)):(f=s,s=e),s===e&&(o.substr(f,2)===F?(s=F,f+=2):(s=e,r===0&&u(rf)),
s===e&&(s=o.charAt(f),zs.test(s)?f++:(s=e,r===0&&u(lf))))))),r--,s===e&&(t=e,r===0&&u(ef)),s}function ei(){let s,t,n,i,l;return s=f,t=N(),t!==e?(n=$(),
i=si(),i===e&&(i=fi()),i!==e?(t=[t,n,i],s=t):(f=s,s=e)):(f=s,s=e),s===e&&(s=f,t=N(),t!==e?(n=$(),o.charCodeAt(f)===40?(i=O,f++):(i=e,r===0&&u(le)),i!==
e?(p=s,s=ut()):(f=s,s=e)):(f=s,s=e),s===e&&(s=f,t=N(),t!==e?(n=$(),i=J(),i===e&&(i=pe(),i===e&&(i=o.charAt(f),Xs.test(i)?f++:(i=e,r===0&&u(of)),i===e&&
(i=me(),i===e&&(i=Re(),i===e&&(i=f,r++,o.length>f?(l=o.charAt(f),f++):(l=e,r===0&&u(H)),r--,l===e?i=void 0:(f=i,i=e)))))),i!==e?(p=s,s=at()):(f=s,s=e)):
(f=s,s=e),s===e&&(s=f,t=we(),t===e&&(t=Ee(),t===e&&(t=Le(),t===e&&(t=de()))),t!==e?(n=$(),i=Cs(),i===e&&(i=W(),i===e&&(i=xe(),i===e&&(i=$e(),i===e&&(i=
Se())))),i!==e?(p=s,s=gt()):(f=s,s=e)):(f=s,s=e),s===e&&(s=ws())))),s}function si(){let s,t,n,i,l,c;return s=f,t=$e(),t!==e?(n=$(),i=f,l=W(),l!==e?(c=
$(),l=[l,c],i=l):(f=i,i=e),i===e&&(i=null),l=li(),l===e&&(l=Ee(),l===e&&(l=we())),l!==e?(p=s,s=pt()):(f=s,s=e)):(f=s,s=e),s}function fi(){let s,t,n,i,
l,c,a;return s=f,o.substr(f,3)===v?(t=v,f+=3):(t=e,r===0&&u(cf)),t===e&&(t=f,n=f,i=f,l=o.substr(f,3),l.toLowerCase()===Ie?f+=3:(l=e,r===0&&u(Ye)),l!==
e?(c=$(),l=[l,c],i=l):(f=i,i=e),i===e&&(i=null),l=o.substr(f,4),l.toLowerCase()===Te?f+=4:(l=e,r===0&&u(Ve)),l===e&&(l=o.substr(f,6),l.toLowerCase()===
Oe?f+=6:(l=e,r===0&&u(Ze)),l===e&&(l=o.substr(f,5),l.toLowerCase()===Fe?f+=5:(l=e,r===0&&u(ze)))),l!==e?(c=f,r++,a=E(),r--,a===e?c=void 0:(f=c,c=e),c!==
e?(i=[i,l,c],n=i):(f=n,n=e)):(f=n,n=e),n!==e?t=o.substring(t,f):t=n),t!==e&&(p=s,t=$t(t)),s=t,s}function N(){let s,t;return r++,s=f,t=ii(),t===e&&(t=ti()),
t!==e&&(p=s,t=dt(t)),s=t,r--,s===e&&(t=e,r===0&&u(uf)),s}function ti(){let s,t,n,i,l,c,a;if(s=f,t=f,r++,n=ri(),r--,n===e?t=void 0:(f=t,t=e),t!==e){if(n=
f,i=f,l=o.charAt(f),Ge.test(l)?f++:(l=e,r===0&&u(Xe)),l!==e){for(c=[],a=E();a!==e;)c.push(a),a=E();l=[l,c],i=l}else f=i,i=e;i!==e?n=o.substring(n,f):n=
i,n!==e?s=n:(f=s,s=e)}else f=s,s=e;return s}function E(){let s;return s=o.charAt(f),qs.test(s)?f++:(s=e,r===0&&u(af)),s}function ii(){let s,t,n,i,l;if(s=
f,o.charCodeAt(f)===96?(t=De,f++):(t=e,r===0&&u(qe)),t!==e){if(n=[],i=o.charAt(f),We.test(i)?f++:(i=e,r===0&&u(Ke)),i===e&&(i=f,o.substr(f,2)===ee?(l=
ee,f+=2):(l=e,r===0&&u(Je)),l!==e&&(p=i,l=as()),i=l),i!==e)for(;i!==e;)n.push(i),i=o.charAt(f),We.test(i)?f++:(i=e,r===0&&u(Ke)),i===e&&(i=f,o.substr(
f,2)===ee?(l=ee,f+=2):(l=e,r===0&&u(Je)),l!==e&&(p=i,l=as()),i=l);else n=e;n!==e?(o.charCodeAt(f)===96?(i=De,f++):(i=e,r===0&&u(qe)),i!==e?(p=s,s=ht(n)):
(f=s,s=e)):(f=s,s=e)}else f=s,s=e;return s}function V(){let s,t;return r++,s=f,t=we(),t!==e&&(p=s,t=At(t)),s=t,s===e&&(s=f,t=Ee(),t!==e&&(p=s,t=bt(t)),
s=t,s===e&&(s=f,t=Le(),t!==e&&(p=s,t=Ct(t)),s=t,s===e&&(s=ni()))),r--,s===e&&(t=e,r===0&&u(gf)),s}function ni(){let s,t,n,i;return s=f,t=de(),t!==e&&(p=
s,t=wt()),s=t,s===e&&(s=f,t=N(),t!==e?(n=$(),o.charCodeAt(f)===40?(i=O,f++):(i=e,r===0&&u(le)),i!==e?(p=s,s=Et()):(f=s,s=e)):(f=s,s=e),s===e&&(s=f,t=N(),
t!==e&&(p=s,t=Lt(t)),s=t,s===e&&(s=ws()))),s}function we(){let s,t,n,i,l,c;if(s=f,o.charCodeAt(f)===39?(t=Pe,f++):(t=e,r===0&&u(es)),t!==e){for(n=[],i=
f,o.charCodeAt(f)===92?(l=se,f++):(l=e,r===0&&u(oe)),l!==e?(c=ge(),c!==e?i=c:(f=i,i=e)):(f=i,i=e),i===e&&(i=f,o.substr(f,2)===fe?(l=fe,f+=2):(l=e,r===
0&&u(ss)),l!==e&&(p=i,l=gs()),i=l,i===e&&(i=o.charAt(f),je.test(i)?f++:(i=e,r===0&&u(fs))));i!==e;)n.push(i),i=f,o.charCodeAt(f)===92?(l=se,f++):(l=e,
r===0&&u(oe)),l!==e?(c=ge(),c!==e?i=c:(f=i,i=e)):(f=i,i=e),i===e&&(i=f,o.substr(f,2)===fe?(l=fe,f+=2):(l=e,r===0&&u(ss)),l!==e&&(p=i,l=gs()),i=l,i===e&&
(i=o.charAt(f),je.test(i)?f++:(i=e,r===0&&u(fs))));o.charCodeAt(f)===39?(i=Pe,f++):(i=e,r===0&&u(es)),i!==e?(p=s,s=xt(n)):(f=s,s=e)}else f=s,s=e;if(s===
e)if(s=f,o.charCodeAt(f)===34?(t=Ue,f++):(t=e,r===0&&u(ts)),t!==e){for(n=[],i=f,o.charCodeAt(f)===92?(l=se,f++):(l=e,r===0&&u(oe)),l!==e?(c=ge(),c!==e?
i=c:(f=i,i=e)):(f=i,i=e),i===e&&(i=f,o.substr(f,2)===te?(l=te,f+=2):(l=e,r===0&&u(is)),l!==e&&(p=i,l=ps()),i=l,i===e&&(i=o.charAt(f),ke.test(i)?f++:(i=
e,r===0&&u(ns))));i!==e;)n.push(i),i=f,o.charCodeAt(f)===92?(l=se,f++):(l=e,r===0&&u(oe)),l!==e?(c=ge(),c!==e?i=c:(f=i,i=e)):(f=i,i=e),i===e&&(i=f,o.substr(
f,2)===te?(l=te,f+=2):(l=e,r===0&&u(is)),l!==e&&(p=i,l=ps()),i=l,i===e&&(i=o.charAt(f),ke.test(i)?f++:(i=e,r===0&&u(ns))));o.charCodeAt(f)===34?(i=Ue,
f++):(i=e,r===0&&u(ts)),i!==e?(p=s,s=St(n)):(f=s,s=e)}else f=s,s=e;return s}function ge(){let s,t;return s=f,o.length>f?(t=o.charAt(f),f++):(t=e,r===0&&
u(H)),t!==e&&(p=s,t=mt(t)),s=t,s}function ws(){let s,t;return s=f,t=o.charAt(f),Ks.test(t)?f++:(t=e,r===0&&u(pf)),t!==e&&(p=s,t=Rt()),s=t,s}function Ee(){
let s,t,n,i,l,c,a,g,A,w,h;if(s=f,t=o.charAt(f),Me.test(t)?f++:(t=e,r===0&&u(rs)),t===e&&(t=null),n=$(),i=f,l=f,c=f,a=[],g=o.charAt(f),_.test(g)?f++:(g=
e,r===0&&u(G)),g!==e)for(;g!==e;)a.push(g),g=o.charAt(f),_.test(g)?f++:(g=e,r===0&&u(G));else a=e;if(a!==e){if(g=f,o.charCodeAt(f)===46?(A=Be,f++):(A=
e,r===0&&u(ls)),A!==e){for(w=[],h=o.charAt(f),_.test(h)?f++:(h=e,r===0&&u(G));h!==e;)w.push(h),h=o.charAt(f),_.test(h)?f++:(h=e,r===0&&u(G));A=[A,w],g=
A}else f=g,g=e;g===e&&(g=null),a=[a,g],c=a}else f=c,c=e;if(c===e)if(c=f,o.charCodeAt(f)===46?(a=Be,f++):(a=e,r===0&&u(ls)),a!==e){if(g=[],A=o.charAt(f),
_.test(A)?f++:(A=e,r===0&&u(G)),A!==e)for(;A!==e;)g.push(A),A=o.charAt(f),_.test(A)?f++:(A=e,r===0&&u(G));else g=e;g!==e?(a=[a,g],c=a):(f=c,c=e)}else f=
c,c=e;if(c!==e){if(a=f,g=o.charAt(f),g.toLowerCase()===ys?f++:(g=e,r===0&&u($f)),g!==e){if(A=o.charAt(f),Me.test(A)?f++:(A=e,r===0&&u(rs)),A===e&&(A=null),
w=[],h=o.charAt(f),_.test(h)?f++:(h=e,r===0&&u(G)),h!==e)for(;h!==e;)w.push(h),h=o.charAt(f),_.test(h)?f++:(h=e,r===0&&u(G));else w=e;w!==e?(g=[g,A,w],
a=g):(f=a,a=e)}else f=a,a=e;a===e&&(a=null),c=[c,a],l=c}else f=l,l=e;return l!==e?i=o.substring(i,f):i=l,i!==e?(l=f,r++,c=E(),r--,c===e?l=void 0:(f=l,
l=e),l!==e?(p=s,s=Nt(t,i)):(f=s,s=e)):(f=s,s=e),s}function Le(){let s,t,n,i;return s=f,t=o.substr(f,4),t.toLowerCase()===Is?f+=4:(t=e,r===0&&u(df)),t!==
e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=yt()):(f=s,s=e)):(f=s,s=e),s===e&&(s=f,t=o.substr(f,5),t.toLowerCase()===Ts?f+=5:(t=e,r===0&&
u(hf)),t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=It()):(f=s,s=e)):(f=s,s=e)),s}function ri(){let s,t,n,i;return s=J(),s===e&&(s=pe(),
s===e&&(s=W(),s===e&&(s=xe(),s===e&&(s=$e(),s===e&&(s=de(),s===e&&(s=Se(),s===e&&(s=Es(),s===e&&(s=me(),s===e&&(s=Re(),s===e&&(s=Ne(),s===e&&(s=Ls(),s===
e&&(s=xs(),s===e&&(s=Ss(),s===e&&(s=Le(),s===e&&(s=f,t=o.substr(f,4),t.toLowerCase()===Te?f+=4:(t=e,r===0&&u(Ve)),t===e&&(t=o.substr(f,6),t.toLowerCase()===
Oe?f+=6:(t=e,r===0&&u(Ze)),t===e&&(t=o.substr(f,5),t.toLowerCase()===Fe?f+=5:(t=e,r===0&&u(ze)),t===e&&(t=o.substr(f,3),t.toLowerCase()===Os?f+=3:(t=e,
r===0&&u(Af)),t===e&&(t=o.substr(f,6),t.toLowerCase()===Fs?f+=6:(t=e,r===0&&u(bf)),t===e&&(t=o.substr(f,6),t.toLowerCase()===Ds?f+=6:(t=e,r===0&&u(Cf))))))),
t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(t=[t,n],s=t):(f=s,s=e)):(f=s,s=e)))))))))))))))),s}function li(){let s,t,n,i;if(s=f,t=o.charAt(
f),Ge.test(t)?f++:(t=e,r===0&&u(Xe)),t!==e){for(n=[],i=E();i!==e;)n.push(i),i=E();t=[t,n],s=t}else f=s,s=e;return s}function J(){let s,t,n,i,l;return r++,
s=f,t=f,n=o.substr(f,3),n.toLowerCase()===Ps?f+=3:(n=e,r===0&&u(Ef)),n!==e?(i=f,r++,l=E(),r--,l===e?i=void 0:(f=i,i=e),i!==e?(n=[n,i],t=n):(f=t,t=e)):
(f=t,t=e),t===e&&(o.substr(f,2)===ve?(t=ve,f+=2):(t=e,r===0&&u(Lf))),t!==e&&(p=s,t=Tt()),s=t,r--,s===e&&(t=e,r===0&&u(wf)),s}function pe(){let s,t,n,i,
l;return r++,s=f,t=f,n=o.substr(f,2),n.toLowerCase()===Us?f+=2:(n=e,r===0&&u(Sf)),n!==e?(i=f,r++,l=E(),r--,l===e?i=void 0:(f=i,i=e),i!==e?(n=[n,i],t=n):
(f=t,t=e)):(f=t,t=e),t===e&&(o.substr(f,2)===_e?(t=_e,f+=2):(t=e,r===0&&u(mf))),t!==e&&(p=s,t=Ot()),s=t,r--,s===e&&(t=e,r===0&&u(xf)),s}function W(){let s,
t,n,i;return r++,s=f,t=o.substr(f,3),t.toLowerCase()===Ie?f+=3:(t=e,r===0&&u(Ye)),t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=Ft()):
(f=s,s=e)):(f=s,s=e),r--,s===e&&(t=e,r===0&&u(Rf)),s}function xe(){let s,t,n,i;return r++,s=f,t=o.substr(f,2),t.toLowerCase()===Bs?f+=2:(t=e,r===0&&u(
yf)),t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=Dt()):(f=s,s=e)):(f=s,s=e),r--,s===e&&(t=e,r===0&&u(Nf)),s}function $e(){let s,t,n,
i;return r++,s=f,t=o.substr(f,2),t.toLowerCase()===vs?f+=2:(t=e,r===0&&u(Tf)),t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=Pt()):(f=
s,s=e)):(f=s,s=e),r--,s===e&&(t=e,r===0&&u(If)),s}function de(){let s,t,n,i;return r++,s=f,t=o.substr(f,4),t.toLowerCase()===_s?f+=4:(t=e,r===0&&u(Ff)),
t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=Ut()):(f=s,s=e)):(f=s,s=e),r--,s===e&&(t=e,r===0&&u(Of)),s}function Se(){let s,t,n,i;return r++,
s=f,t=o.substr(f,7),t.toLowerCase()===Gs?f+=7:(t=e,r===0&&u(Pf)),t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=Bt()):(f=s,s=e)):(f=s,
s=e),r--,s===e&&(t=e,r===0&&u(Df)),s}function Es(){let s,t,n,i;return s=f,t=o.substr(f,11),t.toLowerCase()===Ws?f+=11:(t=e,r===0&&u(Uf)),t!==e?(n=f,r++,
i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=vt()):(f=s,s=e)):(f=s,s=e),s}function me(){let s,t,n,i;return r++,s=f,t=o.substr(f,5),t.toLowerCase()===
js?f+=5:(t=e,r===0&&u(vf)),t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=_t()):(f=s,s=e)):(f=s,s=e),r--,s===e&&(t=e,r===0&&u(Bf)),s}function Re(){
let s,t,n,i;return r++,s=f,t=o.substr(f,5),t.toLowerCase()===ks?f+=5:(t=e,r===0&&u(Gf)),t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=
Gt()):(f=s,s=e)):(f=s,s=e),r--,s===e&&(t=e,r===0&&u(_f)),s}function Ne(){let s,t,n,i;return r++,s=f,t=o.substr(f,2),t.toLowerCase()===Ms?f+=2:(t=e,r===
0&&u(jf)),t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=Wt()):(f=s,s=e)):(f=s,s=e),r--,s===e&&(t=e,r===0&&u(Wf)),s}function oi(){let s,
t,n,i;return r++,s=f,t=o.substr(f,3),t.toLowerCase()===Hs?f+=3:(t=e,r===0&&u(Mf)),t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=jt()):
(f=s,s=e)):(f=s,s=e),r--,s===e&&(t=e,r===0&&u(kf)),s}function ci(){let s,t,n,i;return r++,s=f,t=o.substr(f,4),t.toLowerCase()===Qs?f+=4:(t=e,r===0&&u(
Qf)),t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=kt()):(f=s,s=e)):(f=s,s=e),r--,s===e&&(t=e,r===0&&u(Hf)),s}function Ls(){let s,t,n,
i;return s=f,t=o.substr(f,5),t.toLowerCase()===Ys?f+=5:(t=e,r===0&&u(Yf)),t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=Mt()):(f=s,s=
e)):(f=s,s=e),s}function xs(){let s,t,n,i;return s=f,t=o.substr(f,6),t.toLowerCase()===Vs?f+=6:(t=e,r===0&&u(Vf)),t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:
(f=n,n=e),n!==e?(p=s,s=Ht()):(f=s,s=e)):(f=s,s=e),s}function Ss(){let s,t,n,i;return s=f,t=o.substr(f,6),t.toLowerCase()===Zs?f+=6:(t=e,r===0&&u(Zf)),
t!==e?(n=f,r++,i=E(),r--,i===e?n=void 0:(f=n,n=e),n!==e?(p=s,s=Qt()):(f=s,s=e)):(f=s,s=e),s}function $(){let s,t,n,i,l,c,a;if(r++,s=[],t=o.charAt(f),He.
test(t)?f++:(t=e,r===0&&u(os)),t===e){if(t=f,o.substr(f,2)===ie?(n=ie,f+=2):(n=e,r===0&&u(cs)),n!==e){for(i=[],l=o.charAt(f),re.test(l)?f++:(l=e,r===0&&
u(ce));l!==e;)i.push(l),l=o.charAt(f),re.test(l)?f++:(l=e,r===0&&u(ce));n=[n,i],t=n}else f=t,t=e;if(t===e)if(t=f,o.substr(f,2)===ne?(n=ne,f+=2):(n=e,r===
0&&u(us)),n!==e){for(i=[],l=f,c=f,r++,o.substr(f,2)===I?(a=I,f+=2):(a=e,r===0&&u(Q)),r--,a===e?c=void 0:(f=c,c=e),c!==e?(o.length>f?(a=o.charAt(f),f++):
(a=e,r===0&&u(H)),a!==e?(c=[c,a],l=c):(f=l,l=e)):(f=l,l=e);l!==e;)i.push(l),l=f,c=f,r++,o.substr(f,2)===I?(a=I,f+=2):(a=e,r===0&&u(Q)),r--,a===e?c=void 0:
(f=c,c=e),c!==e?(o.length>f?(a=o.charAt(f),f++):(a=e,r===0&&u(H)),a!==e?(c=[c,a],l=c):(f=l,l=e)):(f=l,l=e);o.substr(f,2)===I?(l=I,f+=2):(l=e,r===0&&u(
Q)),l!==e?(n=[n,i,l],t=n):(f=t,t=e)}else f=t,t=e}for(;t!==e;)if(s.push(t),t=o.charAt(f),He.test(t)?f++:(t=e,r===0&&u(os)),t===e){if(t=f,o.substr(f,2)===
ie?(n=ie,f+=2):(n=e,r===0&&u(cs)),n!==e){for(i=[],l=o.charAt(f),re.test(l)?f++:(l=e,r===0&&u(ce));l!==e;)i.push(l),l=o.charAt(f),re.test(l)?f++:(l=e,r===
0&&u(ce));n=[n,i],t=n}else f=t,t=e;if(t===e)if(t=f,o.substr(f,2)===ne?(n=ne,f+=2):(n=e,r===0&&u(us)),n!==e){for(i=[],l=f,c=f,r++,o.substr(f,2)===I?(a=
I,f+=2):(a=e,r===0&&u(Q)),r--,a===e?c=void 0:(f=c,c=e),c!==e?(o.length>f?(a=o.charAt(f),f++):(a=e,r===0&&u(H)),a!==e?(c=[c,a],l=c):(f=l,l=e)):(f=l,l=e);l!==
e;)i.push(l),l=f,c=f,r++,o.substr(f,2)===I?(a=I,f+=2):(a=e,r===0&&u(Q)),r--,a===e?c=void 0:(f=c,c=e),c!==e?(o.length>f?(a=o.charAt(f),f++):(a=e,r===0&&
u(H)),a!==e?(c=[c,a],l=c):(f=l,l=e)):(f=l,l=e);o.substr(f,2)===I?(l=I,f+=2):(l=e,r===0&&u(Q)),l!==e?(n=[n,i,l],t=n):(f=t,t=e)}else f=t,t=e}return r--,
s}const U=(s,t=$s().start.offset)=>L.refuse(s,t),he=()=>$s().start.offset+1;q=y();const ye=q!==e&&f===o.length;function ms(){throw q!==e&&f<o.length&&
u(Zt()),hs(ue,D<o.length?Yt(D):null,D<o.length?K(D,D+1):K(D,D))}if(L.peg$library)return{peg$result:q,peg$currPos:f,peg$FAILED:e,peg$maxFailExpected:ue,
peg$maxFailPos:D,peg$success:ye,peg$throw:ye?void 0:ms};if(ye)return q;ms()}const pi=["Query"];export{pi as StartRules,Ae as SyntaxError,gi as parse};
