<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ja" sourcelanguage="en">
<context>
    <name>Display</name>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>%1 B</source>
        <comment>10^9</comment>
        <translation>%1 B</translation>
    </message>
    <message>
        <source>%1 M</source>
        <comment>10^6</comment>
        <translation>%1 M</translation>
    </message>
    <message>
        <source>%1 k</source>
        <comment>10^3</comment>
        <translation>%1 k</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
    <message>
        <source>%1 min %2 s</source>
        <translation>%1 分 %2 秒</translation>
    </message>
    <message>
        <source>%1 h %2 min</source>
        <translation>%1 時間 %2 分</translation>
    </message>
    <message>
        <source>yesterday %1</source>
        <translation>昨日 %1</translation>
    </message>
    <message>
        <source>draft</source>
        <comment>run state</comment>
        <translation>下書き</translation>
    </message>
    <message>
        <source>queued</source>
        <comment>run state</comment>
        <translation>待機中</translation>
    </message>
    <message>
        <source>starting</source>
        <comment>run state</comment>
        <translation>開始中</translation>
    </message>
    <message>
        <source>running</source>
        <comment>run state</comment>
        <translation>実行中</translation>
    </message>
    <message>
        <source>paused</source>
        <comment>run state</comment>
        <translation>一時停止中</translation>
    </message>
    <message>
        <source>stopping</source>
        <comment>run state</comment>
        <translation>停止処理中</translation>
    </message>
    <message>
        <source>finished</source>
        <comment>run state</comment>
        <translation>完了</translation>
    </message>
    <message>
        <source>stopped</source>
        <comment>run state</comment>
        <translation>停止</translation>
    </message>
    <message>
        <source>failed</source>
        <comment>run state</comment>
        <translation>失敗</translation>
    </message>
    <message>
        <source>lost</source>
        <comment>run state</comment>
        <translation>途絶</translation>
    </message>
    <message>
        <source>load weights</source>
        <comment>phase</comment>
        <translation>重みの読み込み</translation>
    </message>
    <message>
        <source>scan data</source>
        <comment>phase</comment>
        <translation>データの走査</translation>
    </message>
    <message>
        <source>train</source>
        <comment>phase</comment>
        <translation>学習</translation>
    </message>
    <message>
        <source>evaluate</source>
        <comment>phase</comment>
        <translation>評価</translation>
    </message>
    <message>
        <source>save</source>
        <comment>phase</comment>
        <translation>保存</translation>
    </message>
    <message>
        <source>paused</source>
        <comment>phase</comment>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>end</source>
        <comment>phase</comment>
        <translation>終了</translation>
    </message>
    <message>
        <source>tensor (paper)</source>
        <comment>granularity</comment>
        <translation>テンソル（論文）</translation>
    </message>
    <message>
        <source>layer</source>
        <comment>granularity</comment>
        <translation>層</translation>
    </message>
    <message>
        <source>model</source>
        <comment>granularity</comment>
        <translation>モデル全体</translation>
    </message>
    <message>
        <source>module</source>
        <comment>granularity</comment>
        <translation>モジュール</translation>
    </message>
    <message>
        <source>head</source>
        <comment>granularity</comment>
        <translation>ヘッド</translation>
    </message>
    <message>
        <source>row</source>
        <comment>granularity</comment>
        <translation>行</translation>
    </message>
    <message>
        <source>window</source>
        <comment>who acted</comment>
        <translation>ウィンドウ</translation>
    </message>
    <message>
        <source>command line</source>
        <comment>who acted</comment>
        <translation>コマンドライン</translation>
    </message>
    <message>
        <source>engine</source>
        <comment>who acted</comment>
        <translation>エンジン</translation>
    </message>
    <message>
        <source>guard rail</source>
        <comment>who acted</comment>
        <translation>ガードレール</translation>
    </message>
    <message>
        <source>token embedding</source>
        <translation>トークン埋め込み</translation>
    </message>
    <message>
        <source>attention: query</source>
        <translation>アテンション: クエリ</translation>
    </message>
    <message>
        <source>attention: key</source>
        <translation>アテンション: キー</translation>
    </message>
    <message>
        <source>attention: value</source>
        <translation>アテンション: バリュー</translation>
    </message>
    <message>
        <source>attention: output</source>
        <translation>アテンション: 出力</translation>
    </message>
    <message>
        <source>MLP: gate</source>
        <translation>MLP: ゲート</translation>
    </message>
    <message>
        <source>MLP: up</source>
        <translation>MLP: アップ</translation>
    </message>
    <message>
        <source>MLP: down</source>
        <translation>MLP: ダウン</translation>
    </message>
    <message>
        <source>normalisation</source>
        <translation>正規化</translation>
    </message>
    <message>
        <source>output head</source>
        <translation>出力ヘッド</translation>
    </message>
</context>
<context>
    <name>main</name>
    <message>
        <source>The window of MoFO Workbench: watch and tune fine-tuning runs. Closing it never stops a run.</source>
        <translation>MoFO Workbench のウィンドウ: ファインチューニングの実行を監視し、調整します。閉じても実行は止まりません。</translation>
    </message>
    <message>
        <source>Folder of the workspace.</source>
        <translation>ワークスペースのフォルダー。</translation>
    </message>
    <message>
        <source>Open page Run on this run: id, unique prefix or name.</source>
        <translation>この実行を「実行」ページで開きます: ID、一意に定まる ID の先頭部分、または名前。</translation>
    </message>
    <message>
        <source>light, dark or desktop.</source>
        <translation>light、dark または desktop。</translation>
    </message>
    <message>
        <source>en or ja.</source>
        <translation>en または ja。</translation>
    </message>
    <message>
        <source>For developers: write the window as a PNG and quit.</source>
        <translation>開発者向け: ウィンドウを PNG として保存し、終了します。</translation>
    </message>
    <message>
        <source>With --screenshot: wait this many milliseconds (1500).</source>
        <translation>--screenshot と併用: 待ち時間をミリ秒で指定します（1500）。</translation>
    </message>
    <message>
        <source>With --screenshot: size of the window (1440x900).</source>
        <translation>--screenshot と併用: ウィンドウのサイズ（1440x900）。</translation>
    </message>
</context>
<context>
    <name>mofo::AlphaDial</name>
    <message>
        <source>applied %1</source>
        <translation>適用中 %1</translation>
    </message>
    <message>
        <source>sent %1</source>
        <translation>送信済み %1</translation>
    </message>
    <message>
        <source>staged %1</source>
        <translation>保留 %1</translation>
    </message>
</context>
<context>
    <name>mofo::ChartView</name>
    <message>
        <source>%1: values at the cursor</source>
        <translation>%1: カーソル位置の値</translation>
    </message>
    <message>
        <source>Fit the whole run	0</source>
        <translation>実行全体を表示	0</translation>
    </message>
    <message>
        <source>Follow the newest step	F</source>
        <translation>最新のステップを追従	F</translation>
    </message>
    <message>
        <source>Next event	E</source>
        <translation>次のイベント	E</translation>
    </message>
    <message>
        <source>Previous event	Shift+E</source>
        <translation>前のイベント	Shift+E</translation>
    </message>
    <message>
        <source>Next NaN or Inf	N</source>
        <translation>次の NaN または Inf	N</translation>
    </message>
    <message>
        <source>Copy image	C</source>
        <translation>画像をコピー	C</translation>
    </message>
</context>
<context>
    <name>mofo::ConfigTableModel</name>
    <message>
        <source>since step %1, by %2</source>
        <translation>ステップ %1 から（%2）</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>キー</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>値</translation>
    </message>
    <message>
        <source>Changed while running</source>
        <translation>実行中に変更</translation>
    </message>
    <message>
        <source>Meaning</source>
        <translation>説明</translation>
    </message>
</context>
<context>
    <name>mofo::ControlsPanel</name>
    <message>
        <source>Controls</source>
        <translation>調整</translation>
    </message>
    <message>
        <source>α: share that may move</source>
        <translation>α: 更新を許す割合</translation>
    </message>
    <message>
        <source>Alpha</source>
        <translation>α</translation>
    </message>
    <message>
        <source>Drag, or press the arrow keys: this stages a value, Apply sends it. The tinted band, 5 to 20 %, is advised.</source>
        <translation>ドラッグまたは矢印キーで値を保留し、「適用」で送信します。色の付いた 5～20 % が推奨範囲です。</translation>
    </message>
    <message>
        <source>Alpha in percent</source>
        <translation>α（パーセント）</translation>
    </message>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
    <message>
        <source>State of alpha</source>
        <translation>α の状態</translation>
    </message>
    <message>
        <source>Granularity</source>
        <translation>粒度</translation>
    </message>
    <message>
        <source>What competes with what: each part of the model selects its own share</source>
        <translation>どの範囲の中で競わせるか: モデルの各部分がそれぞれの割合を選択します</translation>
    </message>
    <message>
        <source>State of the granularity</source>
        <translation>粒度の状態</translation>
    </message>
    <message>
        <source>Staged changes</source>
        <translation>保留中の変更</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>適用</translation>
    </message>
    <message>
        <source>Apply the staged changes</source>
        <translation>保留中の変更を適用</translation>
    </message>
    <message>
        <source>Sends all staged changes as one command; they take effect at one step (Ctrl+Return)</source>
        <translation>保留中の変更をすべて 1 つのコマンドとして送信します。変更は同じステップで有効になります（Ctrl+Return）</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>破棄</translation>
    </message>
    <message>
        <source>Discard the staged changes</source>
        <translation>保留中の変更を破棄</translation>
    </message>
    <message>
        <source>Why nothing was sent</source>
        <translation>送信されなかった理由</translation>
    </message>
    <message>
        <source>staged %1, not sent</source>
        <translation>%1 を保留中、未送信</translation>
    </message>
    <message>
        <source>sending %1 …</source>
        <translation>%1 を送信中…</translation>
    </message>
    <message>
        <source>%1 sent for step %2</source>
        <translation>%1 を送信済み、ステップ %2 で適用</translation>
    </message>
    <message>
        <source>%1 sent; taken when the run is resumed</source>
        <translation>%1 を送信済み。再開時に反映されます</translation>
    </message>
    <message>
        <source>%1 sent: no answer for %2</source>
        <translation>%1 を送信済み: %2 応答なし</translation>
    </message>
    <message>
        <source>%1 sent, waiting for step… %2</source>
        <translation>%1 を送信済み、ステップを待機中… %2</translation>
    </message>
    <message>
        <source> · by %1</source>
        <translation> · 操作元: %1</translation>
    </message>
    <message>
        <source>%1 will apply on resume, at step %2</source>
        <translation>%1 は再開時にステップ %2 で適用されます</translation>
    </message>
    <message>
        <source>%1 since step %2</source>
        <translation>%1、ステップ %2 から</translation>
    </message>
    <message>
        <source>applied</source>
        <translation>適用済み</translation>
    </message>
    <message>
        <source>✗ refused: %1</source>
        <translation>✗ 拒否: %1</translation>
    </message>
    <message>
        <source>≈ %1 of %2 filtered coordinates per step</source>
        <translation>≈ ステップごとにフィルター対象 %2 座標中 %1</translation>
    </message>
    <message>
        <source>No run is shown</source>
        <translation>表示中の実行はありません</translation>
    </message>
    <message>
        <source>This run trains with AdamW: every coordinate moves</source>
        <translation>この実行は AdamW で学習しています: すべての座標が更新されます</translation>
    </message>
    <message>
        <source>This run has ended</source>
        <translation>この実行は終了しています</translation>
    </message>
    <message>
        <source>Staged changes: %1</source>
        <translation>保留中の変更: %1 件</translation>
    </message>
    <message>
        <source>No staged changes</source>
        <translation>保留中の変更はありません</translation>
    </message>
</context>
<context>
    <name>mofo::EventLogModel</name>
    <message>
        <source>%1 → %2</source>
        <comment>old to new value</comment>
        <translation>%1 → %2</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>ステップ</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>時刻</translation>
    </message>
    <message>
        <source>Who</source>
        <translation>操作元</translation>
    </message>
    <message>
        <source>What</source>
        <translation>内容</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>変更</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>詳細</translation>
    </message>
</context>
<context>
    <name>mofo::KindTableModel</name>
    <message>
        <source>%1: not filtered, every coordinate may move</source>
        <translation>%1: フィルター対象外、すべての座標が更新される可能性があります</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>種類</translation>
    </message>
    <message>
        <source>Moved</source>
        <translation>更新率</translation>
    </message>
    <message>
        <source>Drift</source>
        <translation>ドリフト</translation>
    </message>
</context>
<context>
    <name>mofo::LossChart</name>
    <message>
        <source>raw</source>
        <translation>実測値</translation>
    </message>
    <message>
        <source>smoothed</source>
        <translation>平滑化</translation>
    </message>
    <message>
        <source>held out</source>
        <translation>検証</translation>
    </message>
    <message>
        <source>taken back</source>
        <translation>取り消し</translation>
    </message>
    <message>
        <source>%1 NaN</source>
        <translation>NaN %1 件</translation>
    </message>
    <message>
        <source>%1 Inf</source>
        <translation>Inf %1 件</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>損失</translation>
    </message>
    <message>
        <source>Smoothing of the loss curve</source>
        <translation>損失曲線の平滑化</translation>
    </message>
    <message>
        <source>Weight of the past in the thick curve: 0 follows every step, 0.99 is very smooth</source>
        <translation>太い曲線における過去の重み: 0 は各ステップに追従し、0.99 は非常に滑らかです</translation>
    </message>
    <message>
        <source>smooth </source>
        <translation>平滑化 </translation>
    </message>
    <message>
        <source>Logarithmic loss axis</source>
        <translation>損失の対数軸</translation>
    </message>
    <message>
        <source>log</source>
        <translation>対数</translation>
    </message>
    <message>
        <source>Logarithmic axis (L)</source>
        <translation>対数軸（L）</translation>
    </message>
    <message>
        <source>nats per token</source>
        <translation>nat/トークン</translation>
    </message>
    <message>
        <source>step %1 · loss %2 · smoothed %3 nats/token</source>
        <translation>ステップ %1 · 損失 %2 · 平滑化 %3 nat/トークン</translation>
    </message>
    <message>
        <source> · held out %1 @%2</source>
        <translation> · 検証 %1 @%2</translation>
    </message>
</context>
<context>
    <name>mofo::MainWindow</name>
    <message>
        <source>Pages</source>
        <translation>ページ</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <comment>page and its shortcut</comment>
        <translation>%1（%2）</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>実行一覧</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>実行</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>ファイル(&amp;F)</translation>
    </message>
    <message>
        <source>Close window (training goes on)</source>
        <translation>ウィンドウを閉じる（学習は続行）</translation>
    </message>
    <message>
        <source>Quit (training goes on)</source>
        <translation>終了（学習は続行）</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>表示(&amp;V)</translation>
    </message>
    <message>
        <source>Find a run</source>
        <translation>実行を検索</translation>
    </message>
    <message>
        <source>Next pane</source>
        <translation>次のペイン</translation>
    </message>
    <message>
        <source>Previous pane</source>
        <translation>前のペイン</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>テーマ</translation>
    </message>
    <message>
        <source>As the desktop</source>
        <translation>デスクトップに合わせる</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>ライト</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>ダーク</translation>
    </message>
    <message>
        <source>&amp;Run</source>
        <translation>実行(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Chart</source>
        <translation>チャート(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>ヘルプ(&amp;H)</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>キー一覧</translation>
    </message>
    <message>
        <source>About MoFO Workbench</source>
        <translation>MoFO Workbench について</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状態</translation>
    </message>
    <message>
        <source>%1 %2 of %3</source>
        <translation>%1 %2 / %3</translation>
    </message>
    <message>
        <source>Trained tokens per second</source>
        <translation>1 秒あたりの学習トークン数</translation>
    </message>
    <message>
        <source>%1 tokens/s</source>
        <translation>%1 トークン/秒</translation>
    </message>
    <message>
        <source>Time left</source>
        <translation>残り時間</translation>
    </message>
    <message>
        <source>%1 left, %2</source>
        <comment>duration, time of day</comment>
        <translation>残り %1、%2 終了予定</translation>
    </message>
    <message>
        <source>Age of the newest news</source>
        <translation>最新の報告からの経過時間</translation>
    </message>
    <message>
        <source>no news for %1</source>
        <translation>報告なし: %1</translation>
    </message>
    <message>
        <source>Workspace</source>
        <translation>ワークスペース</translation>
    </message>
    <message>
        <source>No run shown</source>
        <translation>表示中の実行なし</translation>
    </message>
    <message>
        <source>%1 %2 of %3</source>
        <comment>state, step, steps in all</comment>
        <translation>%1 %2 / %3</translation>
    </message>
    <message>
        <source>Trained tokens per second, mean of the last 30 s of training</source>
        <translation>1 秒あたりの学習トークン数（直近 30 秒の学習の平均）</translation>
    </message>
    <message>
        <source>-- left</source>
        <comment>time left is not known yet</comment>
        <translation>残り --</translation>
    </message>
    <message>
        <source>⚠ no news for %1</source>
        <translation>⚠ 報告なし: %1</translation>
    </message>
    <message>
        <source>newest %1 ago</source>
        <translation>最新の報告: %1 前</translation>
    </message>
    <message>
        <source>MoFO Workbench</source>
        <translation>MoFO Workbench</translation>
    </message>
    <message>
        <source>%1, step %2 of %3 – MoFO Workbench</source>
        <translation>%1、ステップ %2 / %3 – MoFO Workbench</translation>
    </message>
    <message>
        <source>%1, step %2 – MoFO Workbench</source>
        <translation>%1、ステップ %2 – MoFO Workbench</translation>
    </message>
    <message>
        <source>Find a key</source>
        <translation>キーを検索</translation>
    </message>
    <message>
        <source>Find</source>
        <translation>検索</translation>
    </message>
    <message>
        <source>Action</source>
        <translation>操作</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>キー</translation>
    </message>
    <message>
        <source>In a chart: cursor one step, one tenth of the view</source>
        <translation>チャート: カーソルを 1 ステップ、表示範囲の 1/10 移動</translation>
    </message>
    <message>
        <source>Left/Right, Shift+Left/Right</source>
        <translation>←/→、Shift+←/→</translation>
    </message>
    <message>
        <source>In a chart: first step, newest step</source>
        <translation>チャート: 最初のステップ、最新のステップ</translation>
    </message>
    <message>
        <source>Home, End</source>
        <translation>Home、End</translation>
    </message>
    <message>
        <source>In a chart: zoom in, zoom out, whole run</source>
        <translation>チャート: 拡大、縮小、実行全体</translation>
    </message>
    <message>
        <source>+, -, 0</source>
        <translation>+、-、0</translation>
    </message>
    <message>
        <source>In a chart: follow, logarithmic, copy image</source>
        <translation>チャート: 追従、対数、画像をコピー</translation>
    </message>
    <message>
        <source>F, L, C</source>
        <translation>F、L、C</translation>
    </message>
    <message>
        <source>In a chart: next event, previous event, next NaN</source>
        <translation>チャート: 次のイベント、前のイベント、次の NaN</translation>
    </message>
    <message>
        <source>E, Shift+E, N</source>
        <translation>E、Shift+E、N</translation>
    </message>
    <message>
        <source>On the dial: 1 % and 5 % of the scale, discard</source>
        <translation>ダイヤル: 目盛りの 1 % と 5 %、破棄</translation>
    </message>
    <message>
        <source>Up/Down, PageUp/PageDown, Esc</source>
        <translation>↑/↓、PageUp/PageDown、Esc</translation>
    </message>
    <message>
        <source>Tabs below the charts</source>
        <translation>チャートの下のタブ</translation>
    </message>
    <message>
        <source>Alt+1, Alt+2, Alt+3</source>
        <translation>Alt+1、Alt+2、Alt+3</translation>
    </message>
    <message>
        <source>MoFO Workbench %1

Fine-tunes language models with MoFO and shows what they keep.
This program is under the GNU General Public License, version 3 or later (it uses QCustomPlot).
Qt %2</source>
        <translation>MoFO Workbench %1

MoFO で言語モデルをファインチューニングし、モデルが何を保持するかを示します。
このプログラムには GNU General Public License バージョン 3 以降が適用されます（QCustomPlot を使用しています）。
Qt %2</translation>
    </message>
</context>
<context>
    <name>mofo::MapChart</name>
    <message>
        <source>Selection</source>
        <translation>選択マップ</translation>
    </message>
    <message>
        <source>Drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>Share of the filtered coordinates of a row that moved at a logged step</source>
        <translation>記録されたステップで更新された、行のフィルター対象座標の割合</translation>
    </message>
    <message>
        <source>Distance of a row from its pretrained weights, relative L2</source>
        <translation>事前学習済みの重みからの行の距離、相対 L2</translation>
    </message>
    <message>
        <source>share that moved, by layer</source>
        <translation>更新された割合（層別）</translation>
    </message>
    <message>
        <source>distance from the pretrained weights, by layer</source>
        <translation>事前学習済みの重みからの距離（層別）</translation>
    </message>
    <message>
        <source>step %1 · %2 · %3 · rank %4 of %5</source>
        <translation>ステップ %1 · %2 · %3 · 順位 %4 / %5</translation>
    </message>
    <message>
        <source> · not filtered</source>
        <translation> · フィルター対象外</translation>
    </message>
    <message>
        <source>step %1 · %2 of the model moved</source>
        <translation>ステップ %1 · モデルの %2 が更新</translation>
    </message>
    <message>
        <source>step %1 · whole model %2, relative L2</source>
        <translation>ステップ %1 · モデル全体 %2、相対 L2</translation>
    </message>
</context>
<context>
    <name>mofo::MessageBar</name>
    <message>
        <source>Message</source>
        <translation>メッセージ</translation>
    </message>
    <message>
        <source>What can be done</source>
        <translation>可能な操作</translation>
    </message>
</context>
<context>
    <name>mofo::RunData</name>
    <message>
        <source>token embedding</source>
        <translation>トークン埋め込み</translation>
    </message>
    <message>
        <source>layer %1</source>
        <translation>層 %1</translation>
    </message>
    <message>
        <source>final norm</source>
        <translation>最終正規化</translation>
    </message>
    <message>
        <source>output head</source>
        <translation>出力ヘッド</translation>
    </message>
    <message>
        <source>%1: %2 → %3</source>
        <comment>config key: old to new value</comment>
        <translation>%1: %2 → %3</translation>
    </message>
</context>
<context>
    <name>mofo::RunHeader</name>
    <message>
        <source>The run on screen</source>
        <translation>表示中の実行</translation>
    </message>
    <message>
        <source>Name of the run</source>
        <translation>実行の名前</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状態</translation>
    </message>
    <message>
        <source>Steps done</source>
        <translation>完了したステップ</translation>
    </message>
    <message>
        <source>Phase</source>
        <translation>フェーズ</translation>
    </message>
    <message>
        <source>No run</source>
        <translation>実行なし</translation>
    </message>
    <message>
        <source>step %1 of %2</source>
        <translation>ステップ %1 / %2</translation>
    </message>
    <message>
        <source>step %1</source>
        <translation>ステップ %1</translation>
    </message>
    <message>
        <source>Pausing …</source>
        <translation>一時停止処理中…</translation>
    </message>
    <message>
        <source>Resuming …</source>
        <translation>再開処理中…</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>再開</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>%1 (F9)</source>
        <translation>%1（F9）</translation>
    </message>
    <message>
        <source>This run has ended: nothing to pause or resume</source>
        <translation>この実行は終了しています: 一時停止も再開もできません</translation>
    </message>
    <message>
        <source>Stopping …</source>
        <translation>停止処理中…</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Stop after this step, with a checkpoint (Shift+F9)</source>
        <translation>このステップの後でチェックポイントを保存して停止します（Shift+F9）</translation>
    </message>
    <message>
        <source>Nothing to stop</source>
        <translation>停止できる実行はありません</translation>
    </message>
</context>
<context>
    <name>mofo::RunPage</name>
    <message>
        <source>Run</source>
        <translation>実行</translation>
    </message>
    <message>
        <source>Controls</source>
        <translation>調整</translation>
    </message>
    <message>
        <source>At one step</source>
        <translation>ステップの詳細</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Apply staged changes</source>
        <translation>保留中の変更を適用</translation>
    </message>
    <message>
        <source>Lower alpha (stages)</source>
        <translation>α を下げる（保留）</translation>
    </message>
    <message>
        <source>Raise alpha (stages)</source>
        <translation>α を上げる（保留）</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>追従</translation>
    </message>
    <message>
        <source>Keep the newest step in view (F in a chart)</source>
        <translation>常に最新のステップを表示します（チャートでは F）</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>全体</translation>
    </message>
    <message>
        <source>Show the whole run (0 in a chart)</source>
        <translation>実行全体を表示します（チャートでは 0）</translation>
    </message>
    <message>
        <source>Bottom panel</source>
        <translation>下部パネル</translation>
    </message>
    <message>
        <source>Step panel</source>
        <translation>ステップパネル</translation>
    </message>
    <message>
        <source>Progress of the phase</source>
        <translation>フェーズの進行状況</translation>
    </message>
    <message>
        <source>Tables</source>
        <translation>表</translation>
    </message>
    <message>
        <source>Events</source>
        <translation>イベント</translation>
    </message>
    <message>
        <source>Tensors</source>
        <translation>テンソル</translation>
    </message>
    <message>
        <source>Config</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>&amp;1 Events</source>
        <translation>&amp;1 イベント</translation>
    </message>
    <message>
        <source>&amp;2 Tensors</source>
        <translation>&amp;2 テンソル</translation>
    </message>
    <message>
        <source>&amp;3 Config</source>
        <translation>&amp;3 設定</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>再開</translation>
    </message>
    <message>
        <source>The engine of this run ended without saying so at step %1.</source>
        <translation>この実行のエンジンは、ステップ %1 で終了を報告せずに終わりました。</translation>
    </message>
    <message>
        <source>no reason was given</source>
        <translation>理由は示されていません</translation>
    </message>
    <message>
        <source>This run failed at step %1: %2</source>
        <translation>この実行はステップ %1 で失敗しました: %2</translation>
    </message>
    <message>
        <source>This run was stopped at step %1.</source>
        <translation>この実行はステップ %1 で停止されました。</translation>
    </message>
    <message>
        <source>No news from the engine for %1. It may be busy or stopped; changes wait until it answers.</source>
        <translation>エンジンからの報告が %1 ありません。処理中か、停止している可能性があります。変更は応答があるまで保留されます。</translation>
    </message>
    <message>
        <source>Turn alpha now: drag the dial or press Ctrl+[ / Ctrl+], then Apply (Ctrl+Return).</source>
        <translation>α を今すぐ調整できます: ダイヤルをドラッグするか Ctrl+[ / Ctrl+] を押し、「適用」（Ctrl+Return）で送信します。</translation>
    </message>
    <message>
        <source>No run is shown. Choose one on page Runs (Ctrl+1).</source>
        <translation>表示中の実行はありません。「実行一覧」ページ（Ctrl+1）で選択してください。</translation>
    </message>
    <message>
        <source>Reading the run …</source>
        <translation>実行を読み込み中…</translation>
    </message>
    <message>
        <source>Queued: starts when the device is free.</source>
        <translation>待機中: デバイスが空き次第開始します。</translation>
    </message>
    <message>
        <source>starting: %1 …</source>
        <comment>phase</comment>
        <translation>開始処理中: %1…</translation>
    </message>
    <message>
        <source>starting: the engine has not reported yet …</source>
        <translation>開始処理中: エンジンからの報告はまだありません…</translation>
    </message>
</context>
<context>
    <name>mofo::RunTableModel</name>
    <message>
        <source>%1 / %2</source>
        <comment>step of total</comment>
        <translation>%1 / %2</translation>
    </message>
    <message>
        <source>Run %1
%2</source>
        <translation>実行 %1
%2</translation>
    </message>
    <message>
        <source>Share of the filtered coordinates that may move at each step</source>
        <translation>各ステップで更新を許すフィルター対象座標の割合</translation>
    </message>
    <message>
        <source>How the filtered parameters are divided; each part selects on its own</source>
        <translation>フィルター対象パラメーターの分割方法。各部分が個別に選択します</translation>
    </message>
    <message>
        <source>Newest training loss, nats per trained token</source>
        <translation>最新の学習損失（nat/学習トークン）</translation>
    </message>
    <message>
        <source>Newest loss on held-out rows, nats per token</source>
        <translation>検証用の行に対する最新の損失（nat/トークン）</translation>
    </message>
    <message>
        <source>Distance of the whole model from its pretrained weights, relative L2</source>
        <translation>事前学習済みの重みからのモデル全体の距離、相対 L2</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名前</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状態</translation>
    </message>
    <message>
        <source>α</source>
        <translation>α</translation>
    </message>
    <message>
        <source>Granularity</source>
        <translation>粒度</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>ステップ</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>損失</translation>
    </message>
    <message>
        <source>Eval</source>
        <translation>検証</translation>
    </message>
    <message>
        <source>Drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>開始日時</translation>
    </message>
</context>
<context>
    <name>mofo::RunsPage</name>
    <message>
        <source>Runs</source>
        <translation>実行一覧</translation>
    </message>
    <message>
        <source>Find runs</source>
        <translation>実行を検索</translation>
    </message>
    <message>
        <source>Find: words of name, state, model …</source>
        <translation>検索: 名前、状態、モデルの語句…</translation>
    </message>
    <message>
        <source>Number of runs</source>
        <translation>実行の数</translation>
    </message>
    <message>
        <source>Command that starts a run</source>
        <translation>実行を開始するコマンド</translation>
    </message>
    <message>
        <source>Clear filter</source>
        <translation>フィルターを解除</translation>
    </message>
    <message>
        <source>Runs: %1</source>
        <translation>実行: %1 件</translation>
    </message>
    <message>
        <source>%1 of %2 runs</source>
        <translation>実行: %2 件中 %1 件</translation>
    </message>
    <message>
        <source>There is no workspace in %1 yet: the first run makes it.
MoFO fine-tunes a language model and, at every step, moves only the coordinates of largest momentum,
so that it keeps what it knew. A run started on the command line appears here by itself:</source>
        <translation>%1 にはまだワークスペースがありません。最初の実行時に作成されます。
MoFO は言語モデルをファインチューニングし、各ステップでモメンタムが最大の座標だけを更新して、
モデルの既存の知識を保ちます。コマンドラインで開始した実行は、ここに自動的に表示されます:</translation>
    </message>
    <message>
        <source>No run yet in %1.
MoFO fine-tunes a language model and, at every step, moves only the coordinates of largest momentum,
so that it keeps what it knew. A run started on the command line appears here by itself:</source>
        <translation>%1 にはまだ実行がありません。
MoFO は言語モデルをファインチューニングし、各ステップでモメンタムが最大の座標だけを更新して、
モデルの既存の知識を保ちます。コマンドラインで開始した実行は、ここに自動的に表示されます:</translation>
    </message>
    <message>
        <source>No run matches “%1”.</source>
        <translation>「%1」に一致する実行はありません。</translation>
    </message>
</context>
<context>
    <name>mofo::StepPanel</name>
    <message>
        <source>At one step</source>
        <translation>ステップの詳細</translation>
    </message>
    <message>
        <source>Moved, by kind</source>
        <translation>種類別の更新率</translation>
    </message>
    <message>
        <source>Moved share and drift by tensor kind</source>
        <translation>テンソルの種類別の更新率とドリフト</translation>
    </message>
    <message>
        <source>Tensors that drifted most</source>
        <translation>ドリフトが大きいテンソル</translation>
    </message>
    <message>
        <source>No step yet</source>
        <translation>ステップはまだありません</translation>
    </message>
    <message>
        <source>At step %1</source>
        <translation>ステップ %1</translation>
    </message>
    <message>
        <source>At step %1 (newest)</source>
        <translation>ステップ %1（最新）</translation>
    </message>
    <message>
        <source>First statistics after step 1</source>
        <translation>最初の統計はステップ 1 の後に表示されます</translation>
    </message>
    <message>
        <source>Statistics of this step</source>
        <translation>このステップの統計</translation>
    </message>
    <message>
        <source>Statistics of step %1, the nearest measured</source>
        <translation>最も近い測定、ステップ %1 の統計</translation>
    </message>
    <message>
        <source>Dashed line: α = %1 as asked. Hatched: not filtered.</source>
        <translation>破線: 指定した α = %1。斜線: フィルター対象外。</translation>
    </message>
    <message>
        <source>loss</source>
        <translation>損失</translation>
    </message>
    <message>
        <source>Nats per trained token</source>
        <translation>nat/学習トークン</translation>
    </message>
    <message>
        <source>learning rate</source>
        <translation>学習率</translation>
    </message>
    <message>
        <source>gradient norm</source>
        <translation>勾配ノルム</translation>
    </message>
    <message>
        <source>L2 before clipping</source>
        <translation>クリッピング前の L2</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <comment>moved share of all parameters</comment>
        <translation>%2 中 %1</translation>
    </message>
    <message>
        <source>moved</source>
        <translation>更新</translation>
    </message>
    <message>
        <source>Coordinates that this step changed: selected, and momentum not zero</source>
        <translation>このステップで変化した座標: 選択され、モメンタムが 0 でないもの</translation>
    </message>
    <message>
        <source>threshold</source>
        <translation>しきい値</translation>
    </message>
    <message>
        <source>Least |momentum| that was selected; median over the filtered tensors</source>
        <translation>選択された |モメンタム| の最小値（フィルター対象テンソルの中央値）</translation>
    </message>
    <message>
        <source>churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>Share of the previous logged selection that was not selected again</source>
        <translation>前回記録された選択のうち、今回は選択されなかった割合</translation>
    </message>
    <message>
        <source>ever moved</source>
        <translation>累積更新</translation>
    </message>
    <message>
        <source>Share of the filtered coordinates selected at one logged step at least</source>
        <translation>記録されたステップで 1 回以上選択されたフィルター対象座標の割合</translation>
    </message>
    <message>
        <source>drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>Relative L2 distance of the whole model from its pretrained weights</source>
        <translation>事前学習済みの重みからのモデル全体の相対 L2 距離</translation>
    </message>
</context>
<context>
    <name>mofo::TensorTableModel</name>
    <message>
        <source>Coordinates that moved at this step: selected, and momentum not zero</source>
        <translation>このステップで更新された座標: 選択され、モメンタムが 0 でないもの</translation>
    </message>
    <message>
        <source>Least |momentum| that was selected; median over the tensor&apos;s parts</source>
        <translation>選択された |モメンタム| の最小値（テンソルの各部分の中央値）</translation>
    </message>
    <message>
        <source>‖p − p₀‖ / ‖p₀‖: distance from the pretrained weights</source>
        <translation>‖p − p₀‖ / ‖p₀‖: 事前学習済みの重みからの距離</translation>
    </message>
    <message>
        <source>Largest change of one coordinate since the pretrained weights</source>
        <translation>事前学習済みの重みからの、1 座標の最大変化量</translation>
    </message>
    <message>
        <source>Share of the previous logged selection that was not selected again</source>
        <translation>前回記録された選択のうち、今回は選択されなかった割合</translation>
    </message>
    <message>
        <source>Share of the coordinates selected at one logged step at least</source>
        <translation>記録されたステップで 1 回以上選択された座標の割合</translation>
    </message>
    <message>
        <source>Tensor</source>
        <translation>テンソル</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>種類</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>層</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>サイズ</translation>
    </message>
    <message>
        <source>Moved</source>
        <translation>更新率</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>しきい値</translation>
    </message>
    <message>
        <source>Drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>Largest change</source>
        <translation>最大変化</translation>
    </message>
    <message>
        <source>Churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>Ever moved</source>
        <translation>累積更新</translation>
    </message>
</context>
</TS>
